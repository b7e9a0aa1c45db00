"""No order of events makes a wrong balance: random payments, answers and returns over random invoices."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from payorcrm.core.money import Money
from payorcrm.gateways.base import ChargeResult, DeclineCode, Outcome
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payments.models import Payment
from payorcrm.payments.reserve import AmountChanged, NothingLeftToPay, reserve
from payorcrm.payments.settle import settle
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, PaymentMethodFactory
from tests.payments.kit import order_for

ANSWERS = [Outcome.SUCCEEDED, Outcome.PENDING, Outcome.DECLINED, Outcome.RETURNED, Outcome.NOT_SENT, Outcome.UNKNOWN]


class BooksStayRight(TestCase):
    """Hypothesis rolls the database back after every example."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        totals=st.lists(st.integers(1, 10**9), min_size=1, max_size=4),
        chosen=st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=4),
        answers=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(ANSWERS)), max_size=12),
    )
    def test_any_order_of_payments_and_answers_leaves_balances_that_the_facts_prove(self, totals, chosen, answers):
        customer = CustomerFactory()
        method = PaymentMethodFactory(customer=customer)
        invoices = [InvoiceFactory(customer=customer, amount=Money(total, "USD")) for total in totals]
        payments = [
            made for places in chosen if (made := _reserve(method, [invoices[i] for i in places if i < len(invoices)]))
        ]

        for step, (place, outcome) in enumerate(answers):
            if place < len(payments):
                settle(payment=payments[place], result=_answer(payments[place], outcome), now=_later(step))

        assert check_books() == []
        for invoice in Invoice.objects.all():
            assert 0 <= invoice.in_flight <= invoice.balance <= invoice.total
        for payment in Payment.objects.all():
            assert sum(payment.allocations.values_list("amount", flat=True)) <= payment.amount


def _reserve(method, invoices):
    for invoice in invoices:
        invoice.refresh_from_db()
    if not sum(invoice.payable_money().minor for invoice in invoices):
        return None
    try:
        return reserve(order=order_for(method, *invoices), now=NOW).payment
    except (NothingLeftToPay, AmountChanged) as refused:
        pytest.fail(f"a payable order was refused: {refused}")


def _answer(payment, outcome):
    decline = DeclineCode.DECLINED if outcome is Outcome.DECLINED else None
    code = "R01" if outcome is Outcome.RETURNED else ""
    return ChargeResult(outcome=outcome, reference=f"ch_{payment.id}", decline_code=decline, return_code=code)


def _later(step):
    return NOW + timedelta(minutes=step)
