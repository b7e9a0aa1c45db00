"""A request of the portal is paid at most once: threads on a real PostgreSQL, a real processor, and all its answers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from payorcrm.core.money import Money
from payorcrm.gateways.base import ChargeResult, DeclineCode, Outcome
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payments.checkout import Checkout, new_checkout_id, pay_checkout, payment_of_checkout
from payorcrm.payments.models import NOT_CHARGED_STATES, Payment
from payorcrm.payments.queries import due_of, standing_payment_of
from payorcrm.payments.request_payment import request_from_portal
from payorcrm.payments.reserve import AmountChanged, NothingLeftToPay, Order, reserve
from payorcrm.payments.settle import settle
from tests.factories.models import (
    NOW,
    CustomerFactory,
    GatewayAccountFactory,
    InvoiceFactory,
    PaymentMethodFactory,
    UserFactory,
    usd,
)
from tests.payments.kit import ACCEPTANCE

CARDS = ("4242424242424242", "5555555555554444", "4000000000000002", "6011111111111117")
ANSWERS = [Outcome.SUCCEEDED, Outcome.PENDING, Outcome.DECLINED, Outcome.RETURNED, Outcome.NOT_SENT, Outcome.UNKNOWN]
Result = TypeVar("Result")


def at_once(calls: list[Callable[[], Result]]) -> list[Result]:
    """Make all calls at the same moment, each in a thread with a connection of its own."""

    def call(one: Callable[[], Result]) -> Result:
        try:
            return one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def shown(request) -> Checkout:
    """Return the checkout of a page that is shown now."""
    return Checkout(new_checkout_id(request), request, due_of(request).total)


def asked_for(customer, user, *invoices, part=None):
    amounts = dict.fromkeys((invoice.id for invoice in invoices), part)
    return request_from_portal(customer=customer, user=user, amounts=amounts, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_many_presses_of_many_tabs_with_several_methods_make_one_payment(merchant, saved):
    customer = CustomerFactory(merchant=merchant)
    invoice = InvoiceFactory(customer=customer)
    methods = [saved(number, customer=customer) for number in CARDS[:2]] * 4
    asked = asked_for(customer, UserFactory(), invoice)

    pages = [shown(asked) for _ in methods]
    presses = [
        partial(pay_checkout, checkout=page, method=method, acceptance=ACCEPTANCE)
        for page, method in zip(pages, methods, strict=True)
    ]

    paid = at_once(presses)

    assert len({payment.id for payment in paid}) == Payment.objects.count() == 1
    assert Invoice.objects.get().status == "paid"
    assert check_books() == []


@pytest.mark.django_db(transaction=True)
def test_parts_of_several_requests_at_once_keep_to_the_balance(merchant, saved):
    merchant.allows_part_payments = True
    customer = CustomerFactory(merchant=merchant)
    card, user = saved(CARDS[0], customer=customer), UserFactory()
    invoice = InvoiceFactory(customer=customer)
    pages = [shown(asked_for(customer, user, invoice, part=5_000)) for _ in range(6)]

    def press(page):
        try:
            return pay_checkout(checkout=page, method=card, acceptance=ACCEPTANCE).amount
        except (AmountChanged, NothingLeftToPay) as refused:
            return refused.code

    answers = at_once([partial(press, page) for page in pages * 2])

    assert sum(Payment.objects.filter(state="succeeded").values_list("amount", flat=True)) == 10_000
    assert set(answers) <= {5_000, "amount_changed"}
    assert Invoice.objects.get().balance == 2_000
    assert check_books() == []


@pytest.mark.django_db(transaction=True)
def test_declined_attempts_follow_each_other_and_a_stale_page_shows_its_own(merchant, saved):
    customer = CustomerFactory(merchant=merchant)
    declined, good = saved(CARDS[2], customer=customer), saved(CARDS[0], customer=customer)
    asked = asked_for(customer, UserFactory(), InvoiceFactory(customer=customer))
    stale = shown(asked)

    first = at_once([partial(pay_checkout, checkout=stale, method=declined, acceptance=ACCEPTANCE)] * 4)
    again = pay_checkout(checkout=stale, method=good, acceptance=ACCEPTANCE)
    paid = pay_checkout(checkout=shown(asked), method=good, acceptance=ACCEPTANCE)
    late = pay_checkout(checkout=stale, method=declined, acceptance=ACCEPTANCE)

    assert {payment.id for payment in first} == {again.id}
    assert again.state == "declined"
    assert paid.state == "succeeded"
    assert late.id == paid.id
    assert Payment.objects.count() == 2
    assert check_books() == []


class PaidOnce(TestCase):
    """Hypothesis rolls the database back after every example."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        parts=st.lists(st.one_of(st.none(), st.integers(1, 20_000)), min_size=1, max_size=3),
        steps=st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(["open", "press", "answer"]), st.sampled_from(ANSWERS)),
            max_size=25,
        ),
    )
    def test_no_order_of_pages_presses_and_answers_pays_a_request_twice(self, parts, steps):
        customer, user = CustomerFactory(merchant__allows_part_payments=True), UserFactory()
        invoice = InvoiceFactory(customer=customer, amount=usd("120.00"))
        method = PaymentMethodFactory(customer=customer)
        GatewayAccountFactory(merchant=customer.merchant)
        requests = [asked_for(customer, user, invoice, part=part) for part in parts]
        pages = {}

        for place, step, outcome in steps:
            asked = requests[place % len(requests)]
            if step == "open" and due_of(asked).total:
                pages.setdefault(asked.id, []).append(shown(asked))
            elif step == "press" and pages.get(asked.id):
                _press(pages[asked.id][place % len(pages[asked.id])], method)
            elif step == "answer":
                for payment in asked.payments.all():
                    settle(payment=payment, result=_answer(payment, outcome), now=NOW)

        for asked in requests:
            revived = [payment for payment in asked.payments.all() if payment.state not in NOT_CHARGED_STATES]
            assert len(revived) <= 1 or _was_found_out_late(asked)
            assert standing_payment_of(asked) in [*revived, None]
        left = Invoice.objects.get()
        assert 0 <= left.in_flight <= left.balance <= left.total
        assert check_books() == []


def _press(page, method):
    """Do what the press of a page's button does up to the processor, which stays silent."""
    if payment_of_checkout(page):
        return
    amounts = {page.request.lines.get().invoice_id: page.agreed.minor}
    order = Order(
        key=page.key(),
        customer_id=page.request.customer_id,
        merchant=page.request.merchant,
        method=method,
        amounts=amounts,
        agreed=Money(page.agreed.minor, "USD"),
        request_id=page.request.id,
    )
    try:
        reserve(order=order, now=NOW)
    except (AmountChanged, NothingLeftToPay):
        return


def _was_found_out_late(asked):
    """Say whether the processor had taken an attempt after all that it had called never sent: the money counts."""
    return Payment.objects.filter(request=asked, events__state="failed").exclude(state="failed").exists()


def _answer(payment, outcome):
    decline = DeclineCode.DECLINED if outcome is Outcome.DECLINED else None
    code = "R01" if outcome is Outcome.RETURNED else ""
    return ChargeResult(outcome=outcome, reference=f"ch_{payment.id}", decline_code=decline, return_code=code)
