"""Imports, invoices being issued and payments meet at one merchant and wait for each other."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connection

from payorcrm.invoices.import_invoices import import_invoices
from payorcrm.invoices.issue import NumberTaken, issue
from payorcrm.invoices.models import Invoice, InvoiceEvent
from payorcrm.ledger.check import check_books
from tests.factories.models import NOW, CustomerFactory, MerchantFactory, usd
from tests.invoices.kit import HEADER

THREADS = 4


def at_once(*calls):
    """Run calls in threads of their own that begin together."""
    start = Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_the_same_file_imported_by_several_at_once_counts_once(tmp_path):
    merchant = MerchantFactory()
    CustomerFactory(merchant=merchant, number="C1")
    path = tmp_path / "invoices.csv"
    path.write_text("\n".join([HEADER, *(f"C1,INV-{n},100,60,2026-08-05,2026-07-05,USD" for n in range(200)), ""]))

    reports = at_once(*[lambda: import_invoices(merchant=merchant, path=path, now=NOW)] * THREADS)

    assert sorted((report.new_count, report.unchanged_count) for report in reports) == [(0, 200)] * (THREADS - 1) + [
        (200, 0)
    ]
    assert (Invoice.objects.count(), InvoiceEvent.objects.count()) == (200, 200)
    assert check_books() == []


@pytest.mark.django_db(transaction=True)
def test_an_invoice_issued_during_an_import_of_its_number_exists_once(tmp_path):
    merchant = MerchantFactory()
    customer = CustomerFactory(merchant=merchant, number="C1")
    path = tmp_path / "invoices.csv"
    path.write_text(f"{HEADER}\nC1,INV-1,100,100,2026-08-05,2026-07-05,USD\n")
    days = {"issued_on": date(2026, 7, 5), "due_on": date(2026, 8, 5)}

    def issue_it():
        try:
            return issue(customer=customer, number="INV-1", total=usd("100.00"), now=NOW, **days)
        except NumberTaken as taken:
            return taken

    at_once(lambda: import_invoices(merchant=merchant, path=path, now=NOW), issue_it)

    assert Invoice.objects.count() == 1
    assert check_books() == []
