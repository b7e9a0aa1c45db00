"""What refunds set aside, so that it does not matter which arrives first; and how often they are asked about."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from payorcrm.core.money import Money
from payorcrm.gateways.base import ChargeResult, Outcome, RefundResult
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import GatewayAccount
from payorcrm.payments.collect import collect
from payorcrm.payments.models import Allocation, Payment, Refund, RefundState
from payorcrm.payments.refund import CannotRefund, RefundOrder, RefundTooLarge, refund, reserve_refund
from payorcrm.payments.reserve import reserve
from payorcrm.payments.resolve import StillUnknown, resolve_refund, unanswered_refunds
from payorcrm.payments.settle import settle
from payorcrm.payments.settle_refund import settle_refund
from tests.factories.models import (
    NOW,
    CustomerFactory,
    GatewayAccountFactory,
    InvoiceFactory,
    PaymentMethodFactory,
    usd,
)
from tests.payments.kit import order_for

WISH = st.tuples(st.sampled_from([None, 0, 1, 2]), st.integers(1, 900), st.booleans())
ENDS = [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.DECLINED]


def paid_payment(*totals: int, extra: int = 0) -> Payment:
    """Make a payment of some invoices that has arrived; of `extra`, nothing is applied any more."""
    customer = CustomerFactory()
    GatewayAccountFactory(merchant=customer.merchant)
    invoices = [
        InvoiceFactory(customer=customer, amount=Money(total, "USD"), due_on=NOW.date() + timedelta(days=place))
        for place, total in enumerate(totals)
    ]
    payment = reserve(order=order_for(PaymentMethodFactory(customer=customer), *invoices), now=NOW).payment
    if extra:
        Invoice.objects.filter(id=invoices[0].id).update(in_flight=totals[0] - extra)
        Allocation.objects.filter(payment=payment, invoice=invoices[0]).update(amount=totals[0] - extra)
    return settle(payment=payment, result=ChargeResult(Outcome.SUCCEEDED, f"ch_{payment.id}"), now=NOW)


def invoices_of(payment: Payment) -> list[Invoice]:
    return list(payment.customer.invoices.order_by("due_on"))


def ask(payment: Payment, amount: int, *, place: int | None = None, is_owed_again: bool = True) -> Refund:
    payment.refresh_from_db()
    invoice_id = None if place is None else invoices_of(payment)[place % len(invoices_of(payment))].id
    seen = payment.refunded + payment.refunding
    order = RefundOrder(uuid4(), Money(amount, "USD"), seen, "Because", is_owed_again, invoice_id)
    return reserve_refund(payment.id, order, NOW)[0]


def answer(made: Refund, outcome: Outcome) -> None:
    settle_refund(refund=made, result=RefundResult(outcome), now=NOW)


class OrderOfArrival(TestCase):
    """Hypothesis rolls the database back after every example."""

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @example(totals=[800, 400], extra=0, wishes=[(None, 400, True), (1, 300, True)])
    @example(totals=[800, 400], extra=100, wishes=[(1, 300, True), (None, 400, True), (0, 50, False)])
    @example(totals=[1, 1], extra=0, wishes=[(None, 2, False), (None, 1, False)])
    @given(
        totals=st.lists(st.integers(1, 900), min_size=2, max_size=3),
        extra=st.sampled_from([0, 0, 1, 300]),
        wishes=st.lists(WISH, min_size=2, max_size=3),
    )
    def test_no_order_of_arrival_makes_another_result(self, totals, extra, wishes):
        payment = paid_payment(*totals, extra=min(extra, totals[0] - 1))
        made = []
        for place, amount, is_owed_again in wishes:
            try:
                made.append(ask(payment, amount, place=place, is_owed_again=is_owed_again))
            except (RefundTooLarge, CannotRefund):  # the second where nothing is left at all
                continue

        results = {self._after(payment, order) for order in permutations(zip(made, ENDS, strict=False))}

        assert len(results) == 1

    def _after(self, payment, answers):
        with transaction.atomic():
            for made, outcome in answers:
                answer(made, outcome)
            assert check_books() == []
            found = (
                tuple(invoice.balance for invoice in invoices_of(payment)),
                tuple(Allocation.objects.filter(payment=payment).order_by("invoice_id").values_list("amount")),
                Payment.objects.get(id=payment.id).refunded,
            )
            transaction.set_rollback(True)
        return found


@pytest.mark.django_db
def test_a_named_refund_gets_no_more_than_an_earlier_one_leaves():
    payment = paid_payment(8000, 4000)
    ask(payment, 3000)  # of the invoice due last, though nobody named it

    with pytest.raises(RefundTooLarge) as refused:
        ask(payment, 2000, place=1)

    assert refused.value.left == usd("10.00")


@pytest.mark.django_db
def test_books_that_set_aside_more_than_there_is_are_found_out():
    payment = paid_payment(8000, 4000)
    ask(payment, 3000)
    Allocation.objects.filter(payment=payment, amount=4000).update(amount=2000)

    assert any(each.what == "Set aside for refunds" for each in check_books())


def asked_at(made: Refund, moments: int) -> list[float]:
    """Ask as often as the timetable says; return after how many seconds each time."""
    seconds = []
    now = made.submitted_at
    while len(seconds) < moments:
        now += timedelta(seconds=10)
        if made.id in unanswered_refunds(now=now):
            seconds.append((now - made.submitted_at).total_seconds())
            with pytest.raises(StillUnknown):
                resolve_refund(refund_id=made.id, now=now)
    return seconds


@pytest.mark.django_db
def test_a_processor_that_does_not_answer_is_asked_less_and_less_and_the_refund_stays_what_it_is(settings):
    settings.SANDBOX_URL = "http://localhost:1"
    settings.GATEWAY_TIMEOUT_SECONDS = 20
    made = ask(paid_payment(8000), 3000)

    assert asked_at(made, 9) == [30, 40, 60, 100, 160, 460, 1360, 4960, 8560]

    made.refresh_from_db()
    assert (made.state, made.asked_count) == (RefundState.SUBMITTING, 9)
    assert made.asked_at == NOW + timedelta(seconds=8560)


@pytest.mark.django_db
def test_a_refund_that_waits_at_the_bank_is_asked_about_and_never_taken_for_lost(saved, merchant):
    customer = CustomerFactory(merchant=merchant)
    method = saved("4000000050000027", customer=customer)
    payment = collect(order=order_for(method, InvoiceFactory(customer=customer, amount=usd("80.00"))), now=NOW)
    order = RefundOrder(uuid4(), usd("30.00"), 0, "Because", is_owed_again=True)
    made = refund(payment=payment, order=order, now=NOW)
    # As if the bank had it, and the processor did not know it any more.
    other = Refund.objects.get(id=ask(payment, 1000).id)
    answer(other, Outcome.PENDING)
    later = NOW + timedelta(hours=1)

    assert made.state == RefundState.SUCCEEDED
    assert unanswered_refunds(now=later - timedelta(seconds=1)) == []
    assert unanswered_refunds(now=later) == [other.id]
    with pytest.raises(StillUnknown):
        resolve_refund(refund_id=other.id, now=later)
    other.refresh_from_db()
    assert other.state == RefundState.PENDING
    assert unanswered_refunds(now=later) == []
    assert unanswered_refunds(now=later + timedelta(hours=1)) == [other.id]


@pytest.mark.django_db
def test_a_refund_of_a_processor_that_is_gone_waits_for_it(saved, merchant):
    customer = CustomerFactory(merchant=merchant)
    method = saved("4000000050000027", customer=customer)
    payment = collect(order=order_for(method, InvoiceFactory(customer=customer, amount=usd("80.00"))), now=NOW)
    made = ask(payment, 3000)
    account = GatewayAccount.objects.get(merchant=merchant)
    account.delete()  # by hand, in the database

    with pytest.raises(StillUnknown):
        resolve_refund(refund_id=made.id, now=NOW + timedelta(hours=1))
    account.save(force_insert=True)

    assert resolve_refund(refund_id=made.id, now=NOW + timedelta(hours=2)).state == RefundState.FAILED
