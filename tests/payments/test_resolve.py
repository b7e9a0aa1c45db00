"""Payments whose answer was lost, found out by asking the running processor."""

from datetime import timedelta

import pytest

from payorcrm.ledger.check import check_books
from payorcrm.mail.models import Mail
from payorcrm.payments.collect import collect
from payorcrm.payments.models import PaymentState
from payorcrm.payments.reserve import reserve
from payorcrm.payments.resolve import StillUnknown, grace, resolve, unanswered_payments
from tests.factories.models import NOW, InvoiceFactory
from tests.payments.kit import order_for


def test_charge_that_went_through_unheard_is_found_and_booked(merchant, saved):
    card = saved("4100000000081001")
    invoice = InvoiceFactory(customer=card.customer)
    lost = collect(order=order_for(card, invoice), now=NOW)

    found = resolve(payment_id=lost.id, now=NOW + timedelta(seconds=30))

    assert lost.state == PaymentState.SUBMITTING
    assert found.state == PaymentState.SUCCEEDED
    assert check_books() == []


def test_charge_that_never_arrived_is_not_called_off_before_it_cannot_arrive_any_more(merchant, saved):
    card = saved("4100000000052002")
    invoice = InvoiceFactory(customer=card.customer)
    lost = collect(order=order_for(card, invoice), now=NOW)

    with pytest.raises(StillUnknown):
        resolve(payment_id=lost.id, now=NOW + grace() / 2)
    found = resolve(payment_id=lost.id, now=NOW + grace())

    invoice.refresh_from_db()
    assert found.state == PaymentState.FAILED
    assert invoice.payable_money() == invoice.total_money()
    assert Mail.objects.filter(kind="payment_not_made").count() == 1
    assert check_books() == []


def test_process_killed_between_reserving_and_charging_is_cleaned_up(merchant, saved):
    card = saved()
    invoice = InvoiceFactory(customer=card.customer)
    abandoned = reserve(order=order_for(card, invoice), now=NOW).payment

    late = unanswered_payments(now=NOW + timedelta(minutes=5))
    found = resolve(payment_id=abandoned.id, now=NOW + timedelta(minutes=5))

    assert late == [abandoned.id]
    assert found.state == PaymentState.FAILED


def test_payment_that_is_still_being_answered_is_left_alone(merchant, saved):
    card = saved()
    reserve(order=order_for(card, InvoiceFactory(customer=card.customer)), now=NOW)

    assert unanswered_payments(now=NOW + timedelta(seconds=1)) == []


def test_a_processor_that_does_not_answer_is_asked_less_and_less_and_the_payment_stays_what_it_is(saved, settings):
    card = saved()
    lost = reserve(order=order_for(card, InvoiceFactory(customer=card.customer)), now=NOW).payment
    settings.SANDBOX_URL, settings.GATEWAY_TIMEOUT_SECONDS = "http://localhost:1", 20
    asked, now = [], NOW

    while len(asked) < 8:
        now += timedelta(seconds=10)
        if lost.id in unanswered_payments(now=now):
            asked.append((now - NOW).total_seconds())
            with pytest.raises(StillUnknown):
                resolve(payment_id=lost.id, now=now)

    lost.refresh_from_db()
    assert asked == [30, 40, 60, 100, 160, 460, 1360, 4960]
    assert (lost.state, lost.asked_count, lost.asked_at) == (PaymentState.SUBMITTING, 8, now)
