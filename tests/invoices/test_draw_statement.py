"""Statements: all that is open on a day, per currency, by how long it is overdue."""

from datetime import timedelta
from itertools import pairwise

import pytest

from payorcrm.core.money import Money
from payorcrm.invoices import draw_statement
from payorcrm.invoices.aging import accounts_of
from payorcrm.invoices.draw_statement import statement_pdf
from payorcrm.invoices.models import Invoice
from tests.factories.models import NOW, TODAY, CustomerFactory, InvoiceFactory, MerchantFactory, usd
from tests.factories.papers import is_tagged, page_count_of, text_of

pytestmark = pytest.mark.django_db


def owe(customer, days_overdue, amount, **fields):
    return InvoiceFactory(customer=customer, due_on=TODAY - timedelta(days=days_overdue), amount=amount, **fields)


@pytest.fixture
def customer():
    merchant = MerchantFactory(name="Alder & Finch", slug="alder-finch", address="2200 Millrace Road")
    return CustomerFactory(merchant=merchant, number="C-1", company_name="Juniper Street Kitchen")


def test_statement_lists_what_is_open_and_nothing_else(customer, snapshot):
    for days, dollars in ((-5, "1.00"), (0, "2.00"), (1, "4.00"), (30, "8.00"), (31, "16.00"), (90, "32.00")):
        owe(customer, days, usd(dollars), number=f"INV-{days}")
    owe(customer, 91, usd("64.00"), number="INV-91", in_flight=1_000)
    owe(customer, 40, Money(9_900, "CAD"), number="INV-CAD")
    owe(customer, 40, usd("7.77"), number="INV-PAID", balance=0, status="paid")
    owe(customer, 40, usd("7.77"), number="INV-DRAFT", status="draft")
    owe(CustomerFactory(merchant=customer.merchant), 40, usd("7.77"), number="INV-THEIRS")

    pdf = statement_pdf(customer, NOW)

    assert text_of(pdf) == snapshot
    assert is_tagged(pdf)


def test_every_invoice_is_in_one_bucket(customer):
    for days in range(-3, 120, 7):
        owe(customer, days, usd("10.00"))

    (account,) = accounts_of(customer, today=TODAY)

    assert sum(amount.minor for amount in account.amounts) == account.owed.minor == account.invoice_count * 1_000
    assert all(amount for amount in account.amounts)


def test_oldest_invoice_comes_first(customer):
    for days in (5, 50, 20):
        owe(customer, days, usd("10.00"), number=f"INV-{days}-LATE")

    shown = text_of(statement_pdf(customer, NOW))

    places = [shown.index(f"INV-{days}-LATE") for days in (50, 20, 5)]
    assert all(before < after for before, after in pairwise(places))


def test_statement_without_anything_open_says_so(customer):
    assert "Nothing is open" in text_of(statement_pdf(customer, NOW))


def test_what_a_long_statement_leaves_out_is_said_and_counted(customer, monkeypatch):
    monkeypatch.setattr(draw_statement, "MOST_INVOICES", 2)
    for days in (5, 50, 20, 10):
        owe(customer, days, usd("10.00"), number=f"INV-{days}-LATE")

    shown = " ".join(text_of(statement_pdf(customer, NOW)).split())

    assert "2 newer invoices of $20.00 in all are not listed here" in shown
    assert "INV-5-LATE" not in shown
    assert "Total owed $40.00" in shown


@pytest.mark.parametrize("count", [1, 30, 3_000])
def test_statement_costs_the_same_however_much_is_owed(customer, count, django_assert_num_queries):
    Invoice.objects.bulk_create(
        InvoiceFactory.build(customer=customer, merchant=customer.merchant, number=f"INV-{place}")
        for place in range(count)
    )

    with django_assert_num_queries(2):
        pdf = statement_pdf(customer, NOW)

    assert page_count_of(pdf) == {1: 1, 30: 2, 3_000: page_count_of(pdf)}[count]
    assert (f"{count - 2_000:,}" in text_of(pdf).replace("1000", "1,000")) or count < 3_000
