"""What is owed stays right while its sums are kept in memory, whoever changes invoices and however they overlap."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice
from payorcrm.invoices.owed import forget_notes, owed_by
from tests.factories.models import TODAY, CustomerFactory, InvoiceFactory, usd

pytestmark = pytest.mark.django_db(transaction=True)


def owed_now(customer, today=TODAY) -> list[Money]:
    return [each.payable for each in owed_by(customer.id, today=today).lines]


def test_each_currency_has_its_own_sums():
    customer = CustomerFactory()
    InvoiceFactory(customer=customer, in_flight=2000)
    InvoiceFactory(customer=customer, amount=usd("80.00"), due_on=TODAY + timedelta(days=1))
    InvoiceFactory(customer=customer, amount=Money(5000, "EUR"), in_flight=5000)

    euros, dollars = owed_by(customer.id, today=TODAY).lines

    assert (dollars.balance, dollars.payable, dollars.overdue) == (usd("200.00"), usd("180.00"), usd("100.00"))
    assert (dollars.payable_count, dollars.overdue_count, dollars.processing_count) == (2, 1, 1)
    assert (euros.payable, euros.processing, euros.payable_count) == (Money(0, "EUR"), Money(5000, "EUR"), 0)


def test_sums_are_added_up_once_while_nothing_changes(django_assert_num_queries):
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    owed_now(customer)

    with django_assert_num_queries(1) as asked:
        assert owed_now(customer) == [usd("120.00")]

    assert "invoices_invoice" not in asked[0]["sql"]


def test_every_kind_of_change_is_seen_at_once():
    customer = CustomerFactory()
    seen = [owed_now(customer)]
    invoice = InvoiceFactory(customer=customer)
    seen.append(owed_now(customer))
    Invoice.objects.filter(id=invoice.id).update(in_flight=2000)
    seen.append(owed_now(customer))
    Invoice.objects.filter(id=invoice.id).update(customer=CustomerFactory(merchant=customer.merchant))
    seen.append(owed_now(customer))

    assert seen == [[], [usd("120.00")], [usd("100.00")], []]


def test_tomorrow_more_is_overdue():
    customer = CustomerFactory()
    InvoiceFactory(customer=customer, due_on=TODAY)

    overdue = [owed_by(customer.id, today=TODAY + timedelta(days=late)).lines[0].overdue for late in (0, 1)]

    assert overdue == [usd("0.00"), usd("120.00")]


def test_a_change_that_was_under_way_while_others_were_added_up_is_seen_when_it_is_done():
    customer = CustomerFactory()
    first, second = InvoiceFactory(customer=customer), InvoiceFactory(customer=customer)
    has_changed, may_finish = threading.Event(), threading.Event()

    def change_slowly() -> None:
        with transaction.atomic():
            Invoice.objects.filter(id=first.id).update(in_flight=2000)
            has_changed.set()
            may_finish.wait(10)
        connection.close()

    slow = threading.Thread(target=change_slowly)
    slow.start()
    has_changed.wait(10)
    Invoice.objects.filter(id=second.id).update(in_flight=3000)
    meanwhile = owed_now(customer)
    may_finish.set()
    slow.join()

    assert meanwhile == [usd("210.00")]
    assert owed_now(customer) == [usd("190.00")]


def test_what_a_transaction_takes_back_is_not_kept():
    customer = CustomerFactory()
    invoice = InvoiceFactory(customer=customer)

    with transaction.atomic():
        Invoice.objects.filter(id=invoice.id).update(in_flight=2000)
        inside = owed_now(customer)
        transaction.set_rollback(True)

    assert inside == [usd("100.00")]
    assert owed_now(customer) == [usd("120.00")]


def test_only_old_notes_are_forgotten():
    InvoiceFactory()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM invoices_change")
        cursor.execute(
            "INSERT INTO invoices_change (customer_id, at) VALUES (gen_random_uuid(), now() - interval '2 d')"
        )
        cursor.execute("INSERT INTO invoices_change (customer_id) VALUES (gen_random_uuid())")

    assert (forget_notes(), forget_notes()) == (1, 0)
