"""Undoing the last import of invoices: all of it, once, and only while nothing was built on it."""

import pytest
from django.test import Client

from payorcrm.core.clock import now
from payorcrm.customers.models import Customer
from payorcrm.invoices.import_kept_file import run_import
from payorcrm.invoices.models import ImportFile, Invoice
from payorcrm.invoices.void import void
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Entry, Posting
from payorcrm.merchants.models import Merchant
from payorcrm.payments.request_payment import request_from_portal
from payorcrm.staff.models import AuditEntry
from tests.backoffice.import_kit import client, drop, dropped, import_customers, merchant, place, start
from tests.factories.models import CustomerFactory, PortalAccessFactory

__all__ = ["client", "merchant"]

pytestmark = pytest.mark.django_db
GOOD = "num,customerno,amount,balance,duedate\nI1,C1,100.00,40.00,2026-12-01\nI2,C1,50.00,0.00,2026-12-01\n"


@pytest.fixture
def imported(client, merchant) -> ImportFile:
    """Invoices of one customer, imported and nothing done with them."""
    CustomerFactory(merchant=merchant, number="C1")
    drop(client, merchant, "invoices", GOOD)
    start(client, merchant)
    run_import(dropped().id, now=now())
    return dropped()


def undo(client: Client, merchant: Merchant, file: ImportFile):
    return client.post(place(merchant, "import_undo", file.id), follow=True)


def test_undo_removes_what_was_brought_and_reverses_the_books_once(client, merchant, imported):
    brought = [
        f"Invoice {number}, owed" for number in Invoice.objects.order_by("number").values_list("number", flat=True)
    ]

    first, second = undo(client, merchant, imported).text, undo(client, merchant, imported).text

    assert "The 2 invoices that this import brought are removed." in first
    assert "are removed." in second
    assert not Invoice.objects.exists()
    assert check_books() == []
    assert sum(Posting.objects.filter(account="receivable").values_list("amount", flat=True)) == 0
    assert Entry.objects.filter(source_kind="import_undone").count() == len(brought) == 2
    entry = AuditEntry.objects.filter(says="Undid an import").earliest("id")
    assert [(what, after) for what, _, after in entry.changes] == [(what, "") for what in brought]
    assert "Undone" in client.get(place(merchant, "imports")).text


def test_after_an_undo_the_file_can_be_imported_again(client, merchant, imported):
    undo(client, merchant, imported)

    drop(client, merchant, "invoices", GOOD)
    start(client, merchant)
    run_import(dropped().id, now=now())

    assert Invoice.objects.count() == 2
    assert check_books() == []


def test_import_whose_invoice_was_reminded_stays(client, merchant, imported):
    Invoice.objects.filter(number="I1").update(last_reminded_at=now())

    answer = undo(client, merchant, imported)

    assert answer.status_code == 409
    assert "1 of its invoices was reminded" in answer.text
    assert f'{place(merchant, "invoice", Invoice.objects.get(number="I1").id)}">Invoice I1</a>: Reminded' in answer.text
    assert place(merchant, "imports") in answer.text
    assert not AuditEntry.objects.filter(says="Undid an import").exists()
    assert Invoice.objects.count() == 2


def test_import_whose_invoice_is_asked_for_stays(client, merchant, imported):
    request_from_portal(
        customer=Customer.objects.get(),
        user=PortalAccessFactory(customer=Customer.objects.get()).user,
        amounts={Invoice.objects.get(number="I1").id: None},
        now=now(),
    )

    answer = undo(client, merchant, imported)

    assert answer.status_code == 409
    assert "Invoice I1</a>: Asked for" in answer.text
    assert Invoice.objects.count() == 2


def test_import_many_of_whose_invoices_were_touched_names_the_first_ten_with_what_bears_most_on_money(client, merchant):
    CustomerFactory(merchant=merchant, number="C1")
    rows = "".join(f"N{number:02},C1,10.00,2026-12-01\n" for number in range(12))
    drop(client, merchant, "invoices", f"num,customerno,amount,duedate\n{rows}")
    start(client, merchant)
    run_import(dropped().id, now=now())
    Invoice.objects.update(last_reminded_at=now())
    Invoice.objects.filter(number="N01").update(in_flight=100)

    text = undo(client, merchant, dropped()).text

    assert text.count("</a>: Reminded") == 9
    assert "Invoice N01</a>: A payment is under way" in text
    assert "And 2 more." in text


def test_import_whose_invoice_was_voided_stays(client, merchant, imported):
    drop(client, merchant, "invoices", "num,customerno,amount,duedate\nI9,C1,10.00,2026-12-01\n")
    start(client, merchant)
    run_import(dropped().id, now=now())
    void(invoice_id=Invoice.objects.get(number="I9").id, now=now())

    answer = undo(client, merchant, dropped())

    assert answer.status_code == 409
    assert "Invoice I9</a>: Void, or written off" in answer.text


def test_only_the_last_import_is_undone(client, merchant, imported):
    drop(client, merchant, "invoices", "num,customerno,amount,duedate\nI9,C1,10.00,2026-12-01\n")
    start(client, merchant)
    run_import(dropped().id, now=now())

    answer = undo(client, merchant, imported)

    assert answer.text.count("only the last import can be undone") == 1
    undo(client, merchant, dropped())
    assert "are removed" in undo(client, merchant, imported).text
    assert check_books() == []


def test_import_that_changed_what_was_there_is_not_undone(client, merchant, imported):
    drop(client, merchant, "invoices", GOOD.replace("100.00", "110.00") + "I3,C1,5.00,5.00,2026-12-01\n")
    start(client, merchant)
    run_import(dropped().id, now=now())

    answer = undo(client, merchant, dropped())

    assert "Import the earlier file again" in answer.text
    assert Invoice.objects.count() == 3


def test_page_of_an_import_says_why_it_cannot_be_undone(client, merchant, imported):
    assert "Undo this import" in client.get(place(merchant, "import_progress", imported.id)).text

    import_customers(client, merchant)

    ids = (imported.id, dropped().id)
    earlier, latest = (client.get(place(merchant, "import_progress", each)).text for each in ids)
    assert "Undo this import" not in earlier + latest
    assert "only the last import can be undone" in earlier
    assert "Customers are not undone" in latest
