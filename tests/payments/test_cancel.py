"""Calling off a debit that has not cleared."""

import pytest

from payorcrm.ledger.check import check_books
from payorcrm.mail.models import Mail
from payorcrm.payments.cancel import CannotCancel, TooLateToCancel, cancel
from payorcrm.payments.collect import collect
from payorcrm.payments.models import (
    PaymentState,
)
from payorcrm.payments.refund import (
    CannotRefund,
    refund,
)
from payorcrm.payments.resolve import resolve
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, usd
from tests.payments.kit import order_for
from tests.payments.refund_kit import order, settle_debits

pytestmark = pytest.mark.django_db
BANK = "000123456789"


def test_debit_that_has_not_cleared_is_canceled_instead(saved, merchant):
    customer = CustomerFactory(merchant=merchant)
    invoice = InvoiceFactory(customer=customer, amount=usd("120.00"))
    payment = collect(order=order_for(saved(BANK, customer=customer, bank=True), invoice), now=NOW)

    with pytest.raises(CannotRefund, match="not cleared"):
        refund(payment=payment, order=order("50.00"), now=NOW)
    canceled = cancel(payment=payment, reason="Wrong amount", by=None, now=NOW)
    settle_debits(payment)

    invoice.refresh_from_db()
    assert canceled.state == PaymentState.CANCELED
    assert invoice.payable_money() == usd("120.00")
    assert Mail.objects.filter(kind="payment_canceled").count() == 1
    assert resolve(payment_id=payment.id, now=NOW).state == PaymentState.CANCELED
    assert check_books() == []
    with pytest.raises(CannotCancel):
        cancel(payment=canceled, reason="Again", by=None, now=NOW)


def test_debit_that_cleared_meanwhile_is_not_canceled(saved, merchant):
    customer = CustomerFactory(merchant=merchant)
    invoice = InvoiceFactory(customer=customer, amount=usd("120.00"))
    payment = collect(order=order_for(saved(BANK, customer=customer, bank=True), invoice), now=NOW)
    settle_debits(payment)

    with pytest.raises(TooLateToCancel):
        cancel(payment=payment, reason="Wrong amount", by=None, now=NOW)

    payment.refresh_from_db()
    assert payment.state == PaymentState.SUCCEEDED
    assert check_books() == []
