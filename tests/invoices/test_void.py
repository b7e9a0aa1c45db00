"""An invoice of which nothing was paid can be taken back."""

import pytest

from payorcrm.invoices.models import InvoiceEvent
from payorcrm.invoices.void import CannotVoid, void
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Posting
from payorcrm.payments.models import PaymentState
from tests.factories.models import NOW, InvoiceFactory, usd
from tests.invoices.kit import everything, pay, stand

pytestmark = pytest.mark.django_db


def test_a_void_invoice_is_owed_no_more_in_history_and_ledger():
    invoice = InvoiceFactory(amount=usd("100.00"))

    void(invoice_id=invoice.id, note="Sent twice.", now=NOW)

    assert stand(invoice) == ("void", "$100.00", "$0.00")
    assert InvoiceEvent.objects.values_list("kind", "amount", "note").get() == ("voided", 10000, "Sent twice.")
    assert sum(Posting.objects.filter(account="receivable").values_list("amount", flat=True)) == 0
    assert check_books() == []


@pytest.mark.parametrize(
    ("amount", "state", "why"),
    [
        ("40.00", PaymentState.PENDING, "\\$40.00 is under way"),
        ("40.00", PaymentState.SUCCEEDED, "\\$40.00 of this invoice is settled"),
        ("100.00", PaymentState.SUCCEEDED, "is paid"),
    ],
)
def test_a_paid_invoice_cannot_be_voided(amount, state, why):
    invoice = InvoiceFactory(amount=usd("100.00"))
    pay(invoice, usd(amount), state=state)
    before = everything()

    with pytest.raises(CannotVoid, match=why):
        void(invoice_id=invoice.id, now=NOW)

    assert everything() == before


def test_an_invoice_is_voided_once():
    invoice = InvoiceFactory()
    void(invoice_id=invoice.id, now=NOW)

    with pytest.raises(CannotVoid, match="is void"):
        void(invoice_id=invoice.id, now=NOW)
