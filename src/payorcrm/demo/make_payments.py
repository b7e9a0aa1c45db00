"""Makes the planned payments as customers make them, one after another, with the clock set to their days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from payorcrm.core.ids import uuid7
from payorcrm.core.money import Money
from payorcrm.demo.business import customer_number
from payorcrm.demo.deliver_history import deliver_history
from payorcrm.demo.moments import at_work
from payorcrm.demo.plan_payments import PlannedPayment
from payorcrm.demo.save_methods import ADDRESS
from payorcrm.gateways.sandbox.provision import return_debit, settle_debit
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import GatewayAccount, Merchant
from payorcrm.merchants.queries import gateway_of
from payorcrm.payment_methods.mandate import Acceptance
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.checkout import Checkout, pay_checkout
from payorcrm.payments.models import Payment, PaymentRequest, PaymentRequestLine, PaymentState
from payorcrm.payments.settle import settle

CLEARS_AFTER = timedelta(days=2)
RETURNS_LATE_AFTER = timedelta(days=12)
BROWSER = "Mozilla/5.0 (demo)"


@dataclass(frozen=True, slots=True)
class _Till:
    """What every payment needs: the account, and the saved methods by customer's number and last digits."""

    merchant: Merchant
    account: GatewayAccount
    methods: Mapping[tuple[str, str], PaymentMethod]


def make_payments(merchant: Merchant, account: GatewayAccount, plan: list[PlannedPayment]) -> None:
    """Make what is planned and not there yet, so that a loading that was interrupted can be taken up again."""
    made = {payment.idempotency_key: payment for payment in Payment.objects.filter(merchant=merchant)}
    waiting = [each for each in plan if not _is_done(each, made.get(_key(each)))]
    if not waiting:
        return
    till = _Till(merchant, account, _methods_of(merchant))
    for count, planned in enumerate(waiting):
        moment = at_work(planned.day, minute=count * 7 % 420)
        earlier = made.get(_key(planned))
        # A loading that was interrupted may have moved the processor further than our books.
        payment = _hear(till, earlier, moment + CLEARS_AFTER) if earlier else _pay(till, planned, moment)
        _bring_to_end(till, planned, payment, moment)


def _is_done(planned: PlannedPayment, payment: Payment | None) -> bool:
    if payment is None:
        return False
    may_move = {PaymentState.SUBMITTING, PaymentState.PENDING, PaymentState.SUCCEEDED}
    return payment.state == planned.ending or payment.state not in may_move


def _key(planned: PlannedPayment) -> str:
    return f"checkout:{_checkout_id(planned)}"


def _checkout_id(planned: PlannedPayment) -> UUID:
    return uuid5(NAMESPACE_URL, f"https://demo.example/payments/{planned.name}")


def _methods_of(merchant: Merchant) -> dict[tuple[str, str], PaymentMethod]:
    methods = PaymentMethod.objects.saved().filter(merchant=merchant).select_related("customer")
    return {(method.customer.number, method.last4): method for method in methods}


def _pay(till: _Till, planned: PlannedPayment, moment: datetime) -> Payment:
    """Pay the planned invoices in full, and send the mails that follow."""
    invoices = list(Invoice.objects.filter(merchant=till.merchant, number__in=planned.invoices))
    method = till.methods[customer_number(planned.customer), planned.number[-4:]]
    request = _request_for(invoices, moment)
    total = Money(sum(invoice.balance for invoice in invoices), request.currency)
    payment = pay_checkout(
        checkout=Checkout(_checkout_id(planned), request, total),
        method=method,
        acceptance=Acceptance(moment, ADDRESS, BROWSER),
    )
    deliver_history(moment)
    return payment


def _request_for(invoices: list[Invoice], moment: datetime) -> PaymentRequest:
    first = invoices[0]
    request = PaymentRequest.objects.create(
        id=uuid7(),
        merchant_id=first.merchant_id,
        customer_id=first.customer_id,
        currency=first.currency,
        created_at=moment - timedelta(hours=2),
    )
    PaymentRequestLine.objects.bulk_create(
        PaymentRequestLine(request=request, invoice=invoice, customer_id=request.customer_id) for invoice in invoices
    )
    return request


def _bring_to_end(till: _Till, planned: PlannedPayment, payment: Payment, moment: datetime) -> None:
    """Let the bank settle the payment or send it back, as planned; a card's is at its end already."""
    credentials, cleared_at = till.account.credentials(), moment + CLEARS_AFTER
    clears_first = planned.ending == PaymentState.SUCCEEDED or planned.is_returned_late
    if clears_first and payment.state == PaymentState.PENDING:
        settle_debit(credentials, payment.gateway_reference)
        payment = _hear(till, payment, cleared_at)
    if planned.ending == PaymentState.RETURNED != payment.state:
        return_debit(credentials, payment.gateway_reference, planned.return_code)
        _hear(till, payment, cleared_at + (RETURNS_LATE_AFTER if planned.is_returned_late else timedelta()))


def _hear(till: _Till, payment: Payment, moment: datetime) -> Payment:
    """Learn what became of a payment, as a webhook would have made us do, and send the mails that follow."""
    result = gateway_of(till.account).look_up(payment.idempotency_key)
    payment = settle(payment=payment, result=result, now=moment)
    deliver_history(moment)
    return payment
