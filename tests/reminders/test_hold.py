"""Holds: one for each reason, with an end that comes by itself."""

from datetime import timedelta

import pytest

from payorcrm.customers.change_contact import Person, change_contact
from payorcrm.customers.models import Contact, Notification, Topic
from payorcrm.reminders.hold import (
    HoldEndsTooEarly,
    HoldNeedsADay,
    end_hold,
    hold_for_bounce,
    holds_of,
    put_on_hold,
    put_several_on_hold,
)
from payorcrm.reminders.models import Hold, HoldReason
from tests.factories.models import NOW, TODAY, CustomerFactory, InvoiceFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return CustomerFactory()


def hold(customer, **fields):
    defaults = {"invoice": None, "reason": HoldReason.DISPUTE, "until": None, "note": "", "held_by": None, "now": NOW}
    return put_on_hold(customer=customer, **(defaults | fields))


def address_of(customer):
    return Contact.objects.get(customer=customer, is_primary=True).email


def correct_address(customer, email):
    change_contact(customer=customer, person=Person("Jo", "Doe", email, ""), language="")


@pytest.mark.parametrize("reason", [HoldReason.PROMISE, HoldReason.PAUSE])
def test_a_promise_and_a_pause_need_a_last_day(customer, reason):
    with pytest.raises(HoldNeedsADay):
        hold(customer, reason=reason)

    assert hold(customer, reason=reason, until=TODAY).until == TODAY


def test_a_last_day_that_has_passed_is_refused(customer):
    with pytest.raises(HoldEndsTooEarly):
        hold(customer, until=TODAY - timedelta(days=1))


def test_a_second_hold_for_the_same_reason_changes_the_first(customer):
    first = hold(customer, note="On the phone")
    second = hold(customer, note="By letter", until=TODAY + timedelta(days=3))
    other = hold(customer, reason=HoldReason.REPLY)

    assert first.id == second.id != other.id
    assert [each.note for each in holds_of(customer, today=TODAY)] == ["By letter", ""]


def test_a_hold_that_ended_is_not_taken_up_again(customer):
    first = hold(customer)
    end_hold(first, ended_by=UserFactory(), now=NOW)

    assert hold(customer).id != first.id


def test_several_are_held_at_once_in_the_same_number_of_statements(customer, django_assert_num_queries):
    customers = [CustomerFactory(merchant=customer.merchant) for _ in range(30)]
    invoices = [InvoiceFactory(customer=each) for each in customers]
    stranger, terms = CustomerFactory(), {"reason": HoldReason.DISPUTE, "until": None, "note": "Strike", "now": NOW}

    with django_assert_num_queries(7):
        count = put_several_on_hold(
            merchant=customer.merchant,
            customer_ids=[*(each.id for each in customers), stranger.id],
            invoice_ids=[invoice.id for invoice in invoices],
            held_by=None,
            **terms,
        )

    assert count == Hold.objects.count() == 60
    assert not Hold.objects.filter(customer=stranger).exists()


def test_a_bounce_holds_until_the_address_is_corrected(customer):
    hold_for_bounce(customer=customer, now=NOW)
    hold_for_bounce(customer=customer, now=NOW)

    correct_address(customer, address_of(customer).upper())
    assert [each.address for each in holds_of(customer, today=TODAY)] == [address_of(customer).lower()]
    correct_address(customer, "right@acme.example")

    assert not holds_of(customer, today=TODAY)


def test_a_bounce_ends_when_mails_are_directed_to_somebody_else(customer):
    hold_for_bounce(customer=customer, now=NOW)

    Notification.objects.create(
        merchant=customer.merchant, customer=customer, topic=Topic.REMINDERS, to=["books@acme.example"]
    )

    assert not holds_of(customer, today=TODAY)


def test_other_holds_do_not_end_with_the_address(customer):
    hold(customer)

    correct_address(customer, "right@acme.example")

    assert holds_of(customer, today=TODAY).count() == 1
