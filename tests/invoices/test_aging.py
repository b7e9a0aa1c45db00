"""How much is owed and for how long."""

from datetime import date, timedelta

import pytest
from django.db import connection

from payorcrm.core.money import Money
from payorcrm.invoices.aging import agings_of, bounds_of, fold_days, invoiced_between
from payorcrm.invoices.models import Invoice, InvoiceStatus
from tests.factories.models import CustomerFactory, InvoiceFactory, MerchantFactory, usd

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("days", "label"),
    [
        (-1, "Current"),
        (0, "Current"),
        (1, "1–30 days"),
        (30, "1–30 days"),
        (31, "31–60 days"),
        (60, "31–60 days"),
        (61, "61–90 days"),
        (90, "61–90 days"),
        (91, "Over 90 days"),
    ],
)
def test_an_invoice_is_in_one_bucket(days, label):
    invoice = InvoiceFactory(due_on=TODAY - timedelta(days=days), amount=usd("120.00"))

    (aging,) = agings_of(invoice.merchant_id, today=TODAY)

    assert [bucket.label for bucket in aging.buckets if bucket.invoice_count] == [label]
    assert aging.owed == usd("120.00")
    assert bool(aging.overdue) is (days > 0)


def test_what_is_processing_is_owed_but_not_overdue():
    invoice = InvoiceFactory(due_on=TODAY - timedelta(days=9), amount=usd("100.00"), in_flight=4000)

    (aging,) = agings_of(invoice.merchant_id, today=TODAY)

    assert (aging.owed, aging.overdue, aging.processing) == (usd("100.00"), usd("60.00"), usd("40.00"))


@pytest.mark.parametrize("days", [-1, 0, 1, 30, 31, 60, 61, 90, 91])
def test_the_bounds_of_a_bucket_contain_its_invoices_alone(days):
    invoice = InvoiceFactory(due_on=TODAY - timedelta(days=days))
    (aging,) = agings_of(invoice.merchant_id, today=TODAY)

    inside = []
    for place in range(5):
        first, last = bounds_of(place, today=TODAY)
        inside.append((first is None or first <= invoice.due_on) and (last is None or invoice.due_on <= last))

    assert inside == [bool(bucket.invoice_count) for bucket in aging.buckets]


def test_only_the_merchants_open_invoices_count_each_in_its_currency():
    merchant = MerchantFactory()
    late, current = CustomerFactory.create_batch(2, merchant=merchant)
    InvoiceFactory.create_batch(2, customer=late, due_on=TODAY - timedelta(days=5))
    InvoiceFactory(customer=current, due_on=TODAY + timedelta(days=5))
    InvoiceFactory(customer=late, status=InvoiceStatus.DRAFT)
    InvoiceFactory(customer=late, amount=Money(10_000, "EUR"), in_flight=2_500, due_on=TODAY - timedelta(days=1))
    InvoiceFactory()

    euros, dollars = agings_of(merchant.id, today=TODAY)

    assert (dollars.owed, dollars.open_count, dollars.overdue_count) == (usd("360.00"), 3, 2)
    assert (euros.owed, euros.overdue) == (Money(10_000, "EUR"), Money(7_500, "EUR"))


def test_nothing_owed_is_no_line():
    assert agings_of(MerchantFactory().id, today=TODAY) == []


def test_every_change_of_an_invoice_moves_the_sums_and_folding_none():
    first, second = InvoiceFactory.create_batch(2, customer=CustomerFactory(), due_on=TODAY - timedelta(days=9))
    merchant = first.merchant_id

    def seen() -> list[tuple[Money, Money, int]]:
        before = [(each.owed, each.overdue, each.open_count) for each in agings_of(merchant, today=TODAY)]
        fold_days()
        assert [(each.owed, each.overdue, each.open_count) for each in agings_of(merchant, today=TODAY)] == before
        return before

    assert seen() == [(usd("240.00"), usd("240.00"), 2)]
    Invoice.objects.filter(id=first.id).update(in_flight=2000)
    assert seen() == [(usd("240.00"), usd("220.00"), 2)]
    Invoice.objects.filter(id=first.id).update(in_flight=0, due_on=TODAY)
    assert seen() == [(usd("240.00"), usd("120.00"), 2)]
    Invoice.objects.filter(id=first.id).update(status=InvoiceStatus.PAID, balance=0)
    assert seen() == [(usd("120.00"), usd("120.00"), 1)]
    Invoice.objects.filter(id=second.id).delete()
    assert seen() == []


def test_folding_leaves_one_row_a_day():
    invoices = InvoiceFactory.create_batch(3, customer=CustomerFactory())
    fold_days()

    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, amount FROM invoices_day WHERE merchant_id = %s", [invoices[0].merchant_id])
        assert sorted(cursor.fetchall()) == [("due", 36000), ("issued", 36000)]


def test_what_was_invoiced_leaves_out_drafts_and_void_invoices():
    customer = CustomerFactory()
    InvoiceFactory(customer=customer, issued_on=TODAY)
    InvoiceFactory(customer=customer, issued_on=TODAY, status=InvoiceStatus.DRAFT)
    InvoiceFactory(customer=customer, issued_on=TODAY - timedelta(days=1), status=InvoiceStatus.PAID, balance=0)
    InvoiceFactory(customer=customer, issued_on=TODAY, status=InvoiceStatus.VOID, balance=0)
    InvoiceFactory(customer=customer, issued_on=TODAY - timedelta(days=91))

    InvoiceFactory(customer=customer, issued_on=TODAY + timedelta(days=1))

    first = TODAY - timedelta(days=90)
    assert invoiced_between(customer.merchant_id, currency="USD", first=first, last=TODAY) == usd("240.00")
