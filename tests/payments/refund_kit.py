"""What the tests of refunds, cancels and lost answers say again and again."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from payorcrm.core.money import Money
from payorcrm.gateways.sandbox.provision import step_debits
from payorcrm.merchants.models import GatewayAccount
from payorcrm.payments.collect import collect
from payorcrm.payments.models import (
    Payment,
)
from payorcrm.payments.refund import (
    RefundOrder,
)
from payorcrm.payments.resolve import resolve
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, usd
from tests.payments.kit import order_for


def paid(saved, merchant, *amounts: str, number: str = "4000000050000027", bank: bool = False) -> Payment:
    """Make a payment of a new customer that has arrived."""
    customer = CustomerFactory(merchant=merchant)
    method = saved(number, customer=customer, bank=bank)
    invoices = [
        InvoiceFactory(customer=customer, amount=usd(amount), due_on=NOW.date() + timedelta(days=place))
        for place, amount in enumerate(amounts)
    ]
    payment = collect(order=order_for(method, *invoices), now=NOW)
    if bank:
        settle_debits(payment)
        payment = resolve(payment_id=payment.id, now=NOW)
    return payment


def settle_debits(payment: Payment) -> None:
    """Let the bank clear the merchant's debits."""
    step_debits(GatewayAccount.objects.get(merchant=payment.merchant).credentials())


def order(amount: str, **fields: Any) -> RefundOrder:
    """Return an order to give an amount back, which is owed again."""
    defaults = {"key": uuid4(), "amount": usd(amount), "seen": 0, "reason": "Damaged goods", "is_owed_again": True}
    return RefundOrder(**defaults | fields)


def given_back(payment: Payment) -> Money:
    """Return what was given back of a payment."""
    payment.refresh_from_db()
    return payment.refunded_money()
