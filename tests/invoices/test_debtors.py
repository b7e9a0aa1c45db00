"""The customers with the largest overdue sums are right whenever and however invoices changed."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from payorcrm.core.money import Money
from payorcrm.invoices.debtors import keep_debtors, top_debtors
from payorcrm.invoices.models import Invoice
from tests.factories.models import NOW, TODAY, CustomerFactory, InvoiceFactory, MerchantFactory, usd

pytestmark = pytest.mark.django_db(transaction=True)


def top(merchant, *, today=TODAY, now=NOW, currency="USD", count=3) -> list[tuple[str, Money]]:
    found = top_debtors(merchant.id, currency=currency, count=count, now=now, today=today)
    return [(debtor.company_name, debtor.overdue) for debtor in found]


def three_debtors():
    merchant = MerchantFactory()
    for name, amount in (("Ash", "100.00"), ("Birch", "300.00"), ("Cedar", "200.00")):
        InvoiceFactory(customer=CustomerFactory(merchant=merchant, company_name=name), number=name, amount=usd(amount))
    return merchant


@pytest.mark.parametrize("is_kept", [False, True])
def test_the_largest_comes_first(is_kept):
    merchant = three_debtors()
    InvoiceFactory(amount=usd("900.00"))
    if is_kept:
        keep_debtors(merchant.id, now=NOW, today=TODAY)

    assert top(merchant, count=2) == [("Birch", usd("300.00")), ("Cedar", usd("200.00"))]
    assert top(merchant, currency="EUR") == []


def test_a_change_after_the_sums_were_kept_is_seen_at_once_and_kept_the_next_time():
    merchant = three_debtors()
    keep_debtors(merchant.id, now=NOW, today=TODAY)
    Invoice.objects.filter(number="Birch").update(in_flight=25000)
    InvoiceFactory(customer=Invoice.objects.get(number="Ash").customer, amount=usd("500.00"))
    expected = [("Ash", usd("600.00")), ("Cedar", usd("200.00")), ("Birch", usd("50.00"))]

    before = top(merchant)
    keep_debtors(merchant.id, now=NOW, today=TODAY)

    assert before == expected
    assert top(merchant) == expected


def test_what_became_overdue_over_night_counts():
    merchant = three_debtors()
    Invoice.objects.filter(number="Birch").update(due_on=TODAY)
    keep_debtors(merchant.id, now=NOW, today=TODAY)

    tomorrow = top(merchant, today=TODAY + timedelta(days=1))
    keep_debtors(merchant.id, now=NOW, today=TODAY + timedelta(days=1))

    assert [name for name, _ in top(merchant, today=TODAY + timedelta(days=1))] == ["Birch", "Cedar", "Ash"]
    assert [name for name, _ in tomorrow] == ["Birch", "Cedar", "Ash"]


def test_sums_older_than_their_notes_are_not_trusted():
    merchant = three_debtors()
    keep_debtors(merchant.id, now=NOW, today=TODAY)
    Invoice.objects.filter(number="Birch").update(in_flight=30000)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM invoices_change")

    later = NOW + timedelta(hours=13)

    assert [name for name, _ in top(merchant, now=later)] == ["Cedar", "Ash"]
    keep_debtors(merchant.id, now=later, today=TODAY)
    assert [name for name, _ in top(merchant, now=later)] == ["Cedar", "Ash"]


def test_a_change_that_was_under_way_while_sums_were_kept_is_seen_when_it_is_done():
    merchant = three_debtors()
    has_changed, may_finish = threading.Event(), threading.Event()

    def change_slowly() -> None:
        with transaction.atomic():
            Invoice.objects.filter(number="Birch").update(in_flight=30000)
            has_changed.set()
            may_finish.wait(10)
        connection.close()

    slow = threading.Thread(target=change_slowly)
    slow.start()
    has_changed.wait(10)
    keep_debtors(merchant.id, now=NOW, today=TODAY)
    meanwhile = top(merchant, count=1)
    may_finish.set()
    slow.join()

    assert meanwhile == [("Birch", usd("300.00"))]
    assert top(merchant, count=1) == [("Cedar", usd("200.00"))]
