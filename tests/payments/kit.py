"""What the tests of payments say again and again."""

from uuid import uuid4

from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.gateways.base import MethodKind
from payorcrm.gateways.sandbox.provision import create_test_method, open_test_account
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import GatewayAccount, Merchant
from payorcrm.payment_methods.mandate import Acceptance
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.save import Consent, record_saved_method
from payorcrm.payments.authorize import Authorization
from payorcrm.payments.connect_gateway import connect_gateway
from payorcrm.payments.models import Payment, PaymentState
from payorcrm.payments.reserve import Order
from tests.factories.models import NOW, CustomerFactory, GatewayAccountFactory, MerchantFactory

ACCEPTANCE = Acceptance(at=NOW, address="127.0.0.1", user_agent="A browser")


def merchant_at_the_sandbox() -> Merchant:
    """Make a merchant with an account at the processor of the settings."""
    merchant = MerchantFactory()
    connect_gateway(
        merchant=merchant, name="sandbox", credentials=open_test_account(f"{merchant.name} {merchant.id}", "")
    )
    return merchant


def save_method(
    merchant: Merchant, number: str, *, customer: Customer | None = None, bank: bool = False
) -> PaymentMethod:
    """Save a card or account of the processor's test numbers for a customer."""
    account = GatewayAccount.objects.get(merchant=merchant)
    kind = MethodKind.BANK_ACCOUNT if bank else MethodKind.CARD
    details = create_test_method(account.credentials(), kind, number, expiry=None if bank else (12, 2031))
    return record_saved_method(
        customer=customer or CustomerFactory(merchant=merchant),
        account=account,
        details=details,
        consent=Consent("Keep it.", None, NOW),
    )


def order_for(method: PaymentMethod, *invoices: Invoice, key: str = "") -> Order:
    """Return an order for all that is payable of some invoices, of a merchant that is connected."""
    if not GatewayAccount.objects.filter(merchant=method.merchant).exists():
        GatewayAccountFactory(merchant=method.merchant)
    amounts = {invoice.id: invoice.payable_money().minor for invoice in invoices}
    return Order(
        key=key or f"checkout:{uuid4()}",
        customer_id=method.customer_id,
        merchant=method.merchant,
        method=method,
        amounts=amounts,
        agreed=Money(sum(amounts.values()), "USD"),
        authorization=None if method.is_card() else Authorization("I authorize this.", ACCEPTANCE),
    )


def amounts_collected() -> list[Money]:
    """Return the amount of every payment that succeeded."""
    succeeded = Payment.objects.filter(state=PaymentState.SUCCEEDED).order_by("id")
    return [payment.amount_money() for payment in succeeded]
