"""Many invoices are voided at once, those alone of which nothing was paid, and the books stay right."""

from time import perf_counter

import pytest
from django.db import connection

from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceStatus
from payorcrm.invoices.void_many import NotVoided, plan_void, void_many
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Posting
from payorcrm.payments.models import PaymentState
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, MerchantFactory, UserFactory, usd
from tests.invoices.kit import everything, pay

pytestmark = pytest.mark.django_db


def invoices_of_every_kind(merchant):
    free = [InvoiceFactory(customer__merchant=merchant, amount=usd("100.00")) for _ in range(3)]
    paying = InvoiceFactory(customer__merchant=merchant, amount=usd("100.00"))
    pay(paying, usd("40.00"), state=PaymentState.PENDING)
    part = InvoiceFactory(customer__merchant=merchant, amount=usd("100.00"))
    pay(part, usd("40.00"), state=PaymentState.SUCCEEDED)
    whole = InvoiceFactory(customer__merchant=merchant, amount=usd("100.00"))
    pay(whole, usd("100.00"), state=PaymentState.SUCCEEDED)
    return free, paying, part, whole


def test_the_plan_says_who_is_left_out_and_why_and_the_books_stay_right():
    merchant, who = MerchantFactory(), UserFactory()
    free, paying, part, whole = invoices_of_every_kind(merchant)
    ids = [each.id for each in [*free, paying, part, whole]]

    plan = plan_void(merchant=merchant, invoice_ids=ids)
    voided = void_many(merchant=merchant, invoice_ids=ids, note="Wrong file.", voided_by=who, now=NOW)

    assert (plan.count, plan.totals) == (3, [usd("300.00")])
    assert voided == [(number, usd("100.00")) for number in sorted(each.number for each in free)]
    assert [(each.reason, each.numbers) for each in plan.left_out] == [
        (NotVoided.BEING_PAID, [paying.number]),
        (NotVoided.PART_PAID, [part.number]),
        (NotVoided.CLOSED, [whole.number]),
    ]
    voided = Invoice.objects.filter(status=InvoiceStatus.VOID)
    assert set(voided.values_list("id", flat=True)) == {each.id for each in free}
    events = InvoiceEvent.objects.filter(kind="voided").values_list("amount", "note", "made_by")
    assert list(events) == [(10000, "Wrong file.", who.id)] * 3
    assert check_books() == []


def test_a_second_press_voids_nothing_more():
    merchant = MerchantFactory()
    invoice = InvoiceFactory(customer__merchant=merchant)
    void_many(merchant=merchant, invoice_ids=[invoice.id], note="x", voided_by=None, now=NOW)
    before = everything()

    assert void_many(merchant=merchant, invoice_ids=[invoice.id], note="x", voided_by=None, now=NOW) == []
    assert everything() == before


def test_another_merchants_invoices_stay_as_they_are():
    merchant, other = MerchantFactory(), InvoiceFactory()

    assert plan_void(merchant=merchant, invoice_ids=[other.id]).count == 0
    assert void_many(merchant=merchant, invoice_ids=[other.id], note="x", voided_by=None, now=NOW) == []
    other.refresh_from_db()
    assert other.status == InvoiceStatus.OPEN


def test_ten_thousand_take_seconds_and_ten_statements(django_assert_max_num_queries):
    merchant = MerchantFactory()
    customers = [CustomerFactory(merchant=merchant) for _ in range(10)]
    Invoice.objects.bulk_create(
        Invoice(
            merchant=merchant,
            customer=customers[place % 10],
            number=f"M{place}",
            issued_on="2026-01-01",
            due_on="2026-02-01",
            currency="USD",
            total=100,
            balance=100,
            created_at=NOW,
        )
        for place in range(10_000)
    )
    ids = list(Invoice.objects.filter(merchant=merchant).values_list("id", flat=True))

    begun = perf_counter()
    with django_assert_max_num_queries(10):
        voided = void_many(merchant=merchant, invoice_ids=ids, note="x", voided_by=None, now=NOW)

    assert len(voided) == 10_000
    assert perf_counter() - begun < 8
    assert Posting.objects.filter(merchant=merchant, account="voided").count() == 10
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
