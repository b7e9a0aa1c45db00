"""How much is owed and for how long."""

from datetime import date, timedelta

import pytest

from payorcrm.core.money import Money
from payorcrm.invoices.aging import aging_of, other_currencies_of
from payorcrm.invoices.models import InvoiceStatus
from tests.factories.models import CustomerFactory, InvoiceFactory, MerchantFactory, usd

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("days", "label"),
    [
        (-1, "Not due yet"),
        (0, "Not due yet"),
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

    aging = aging_of(invoice.merchant, today=TODAY)

    assert [bucket.label for bucket in aging.buckets if bucket.invoice_count] == [label]
    assert aging.owed == usd("120.00")
    assert bool(aging.overdue) is (days > 0)


def test_what_is_processing_is_owed_but_not_overdue():
    invoice = InvoiceFactory(due_on=TODAY - timedelta(days=9), amount=usd("100.00"), in_flight=4000)

    aging = aging_of(invoice.merchant, today=TODAY)

    assert (aging.owed, aging.overdue, aging.processing) == (usd("100.00"), usd("60.00"), usd("40.00"))


def test_only_the_merchants_open_invoices_of_the_currency_count():
    merchant = MerchantFactory()
    late, current = CustomerFactory.create_batch(2, merchant=merchant)
    InvoiceFactory.create_batch(2, customer=late, due_on=TODAY - timedelta(days=5))
    InvoiceFactory(customer=current, due_on=TODAY + timedelta(days=5))
    InvoiceFactory(customer=late, status=InvoiceStatus.DRAFT)
    InvoiceFactory()

    aging = aging_of(merchant, today=TODAY)

    assert aging.owed == usd("360.00")
    assert (aging.open_count, aging.overdue_count, aging.overdue_customer_count) == (3, 2, 1)
    assert not aging_of(merchant, today=TODAY, currency="EUR").owed


def test_nothing_owed_is_zero():
    aging = aging_of(MerchantFactory(), today=TODAY)

    assert (aging.owed, aging.overdue, aging.processing) == (usd("0"), usd("0"), usd("0"))


def test_other_currencies_are_added_up_each_for_itself():
    late = InvoiceFactory(amount=Money(10_000, "EUR"), in_flight=2_500, due_on=TODAY - timedelta(days=1))
    InvoiceFactory(customer=late.customer, amount=Money(700, "CAD"), due_on=TODAY)
    InvoiceFactory(customer=late.customer)
    InvoiceFactory(amount=Money(900, "EUR"))

    others = other_currencies_of(late.merchant, today=TODAY)

    assert others.owed == [Money(700, "CAD"), Money(10_000, "EUR")]
    assert others.overdue == [Money(7_500, "EUR")]
