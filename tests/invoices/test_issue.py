"""One invoice is issued with its ledger entry, once per number."""

from datetime import date

import pytest

from payorcrm.invoices.issue import NotAnInvoice, NumberTaken, issue
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Posting
from tests.factories.models import NOW, CustomerFactory, usd

pytestmark = pytest.mark.django_db
TERMS = {"issued_on": date(2026, 11, 1), "due_on": date(2026, 12, 1), "now": NOW}


def test_an_issued_invoice_is_owed():
    invoice = issue(customer=CustomerFactory(), number=" INV-1 ", total=usd("100.00"), **TERMS)

    stored = Invoice.objects.get()
    assert (stored.id, stored.number, stored.status, stored.balance_money()) == (
        invoice.id,
        "INV-1",
        "open",
        usd("100.00"),
    )
    assert sorted(Posting.objects.values_list("account", "amount")) == [("invoiced", -10000), ("receivable", 10000)]
    assert check_books() == []


def test_a_number_is_used_once_per_merchant():
    customer = CustomerFactory()
    issue(customer=customer, number="INV-1", total=usd("100.00"), **TERMS)
    issue(customer=CustomerFactory(), number="INV-1", total=usd("100.00"), **TERMS)

    with pytest.raises(NumberTaken):
        issue(customer=customer, number="INV-1", total=usd("5.00"), **TERMS)

    assert Posting.objects.count() == 4


@pytest.mark.parametrize(
    "change",
    [
        {"number": " "},
        {"number": "X" * 65},
        {"number": "a\0b"},
        {"total": usd("0")},
        {"total": usd("-1")},
        {"due_on": date(2026, 10, 1)},
    ],
)
def test_what_is_no_invoice_is_refused(change):
    with pytest.raises(NotAnInvoice):
        issue(**{"customer": CustomerFactory(), "number": "INV-1", "total": usd("1"), **TERMS, **change})

    assert Invoice.objects.count() == 0
