"""What may be corrected of an invoice, what stands in its history, and which number comes next."""

from datetime import timedelta

import pytest

from payorcrm.invoices.correct import CannotCorrect, change_due_date, note_on
from payorcrm.invoices.models import InvoiceEvent, InvoiceStatus
from payorcrm.invoices.propose_number import propose_number
from payorcrm.ledger.check import check_books
from payorcrm.portal.invoice_history import history_of
from tests.factories.models import NOW, InvoiceFactory, MerchantFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_new_due_date_is_kept_with_the_old_one_once():
    invoice, who = InvoiceFactory(), UserFactory()
    later = invoice.due_on + timedelta(days=30)
    before = check_books()

    for _ in range(2):
        change_due_date(invoice_id=invoice.id, due_on=later, note="Agreed by phone.", changed_by=who, now=NOW)

    invoice.refresh_from_db()
    event = InvoiceEvent.objects.get()
    assert (invoice.due_on, event.made_by, event.amount) == (later, who, 0)
    assert event.note.endswith(f"to {later:%b %-d, %Y}. Agreed by phone.")
    assert check_books() == before


@pytest.mark.parametrize("status", [InvoiceStatus.PAID, InvoiceStatus.VOID])
def test_a_closed_invoice_is_not_due_any_more(status):
    invoice = InvoiceFactory(status=status, balance=0)

    with pytest.raises(CannotCorrect, match="is not due any more"):
        change_due_date(invoice_id=invoice.id, due_on=invoice.due_on, changed_by=None, now=NOW)


def test_an_invoice_is_not_due_before_it_was_issued():
    invoice = InvoiceFactory()

    with pytest.raises(CannotCorrect, match="before it was issued"):
        change_due_date(invoice_id=invoice.id, due_on=invoice.issued_on - timedelta(days=1), changed_by=None, now=NOW)


def test_customers_see_that_a_date_changed_but_no_note():
    invoice = InvoiceFactory()
    note_on(invoice, text="Talks to the boss only.", noted_by=None, now=NOW)
    later = invoice.due_on + timedelta(days=1)
    change_due_date(invoice_id=invoice.id, due_on=later, note="Weak excuse.", changed_by=None, now=NOW)

    seen = [(each.words, each.note) for each in history_of(invoice)]

    assert seen == [("The due date was changed", "")]


@pytest.mark.parametrize(
    ("known", "proposed"),
    [
        ([], "INV-0001"),
        (["A-0099"], "A-0100"),
        (["A-0100", "A-0101", "A-0099"], "A-0102"),
        (["2026/7"], "2026/8"),
        (["no digits"], ""),
        (["9" * 64], ""),
    ],
)
def test_the_next_number_is_free(known, proposed):
    merchant = MerchantFactory()
    for number in known:
        InvoiceFactory(customer__merchant=merchant, number=number)

    assert propose_number(merchant.id) == proposed


def test_the_next_number_after_a_large_import_is_free():
    merchant = MerchantFactory()
    for number in [*range(301, 500), *range(1, 301)]:
        InvoiceFactory(customer__merchant=merchant, number=f"F{number:05}")
    InvoiceFactory(customer__merchant=merchant, number="F00500")
    last = InvoiceFactory(customer__merchant=merchant, number="F00000")

    assert last.number == "F00000"
    assert propose_number(merchant.id) == "F00501"
