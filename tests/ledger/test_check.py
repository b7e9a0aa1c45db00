"""Checking the books finds every kind of wrong number, and names the row."""

import pytest

from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payments.models import Payment
from payorcrm.payments.reserve import reserve
from tests.factories.models import NOW, InvoiceFactory, PaymentMethodFactory, usd
from tests.payments.kit import order_for


@pytest.fixture
def invoice(db):
    return InvoiceFactory(number="INV-1", amount=usd("120.00"))


def test_right_books_have_nothing_to_say(invoice):
    assert check_books() == []


def test_balance_that_no_fact_explains_is_found(invoice):
    Invoice.objects.filter(id=invoice.id).update(balance=11_900)

    found = {(row.what, row.row) for row in check_books()}

    assert ("Balance", "invoice INV-1") in found
    assert ("Receivable", f"customer {invoice.customer.number}") in found


def test_reservation_without_a_payment_is_found(invoice):
    Invoice.objects.filter(id=invoice.id).update(in_flight=100)

    (found,) = check_books()

    assert (found.what, found.stored, found.computed) == ("Amount in flight", 100, 0)


def test_payment_that_the_ledger_does_not_know_is_found(invoice):
    method = PaymentMethodFactory(customer=invoice.customer)
    payment = reserve(order=order_for(method, invoice), now=NOW).payment
    Payment.objects.filter(id=payment.id).update(state="succeeded")

    found = {row.what for row in check_books()}

    assert {"Balance", "Amount in flight", "Money at the processor"} <= found


def test_disagreement_reads_as_a_sentence(invoice):
    Invoice.objects.filter(id=invoice.id).update(in_flight=100)

    assert str(check_books()[0]) == ("Amount in flight of invoice INV-1: stored 100, computed 0 (USD, minor units)")
