"""Holds: one for each reason, with an end that comes by itself."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from payorcrm.customers.change_contact import Person, change_contact
from payorcrm.customers.models import Contact, Notification, Topic
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.reminders.hold import (
    HoldEndsTooEarly,
    HoldHasEnded,
    HoldNeedsADay,
    end_hold,
    hold_for_bounce,
    holds_of,
    prolong_hold,
    put_on_hold,
    put_several_on_hold,
)
from payorcrm.reminders.models import ENDS_WHEN_SETTLED, Hold, HoldReason
from payorcrm.reminders.select import overdue_summary
from tests.factories.many import owe_alike
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


def test_holding_again_shortens_a_hold_only_if_a_last_day_is_named(customer):
    long, soon = TODAY + timedelta(days=60), TODAY + timedelta(days=3)
    terms = {"reason": HoldReason.DISPUTE, "note": "", "held_by": None, "now": NOW}
    hold(customer, until=long)

    put_several_on_hold(merchant=customer.merchant, customer_ids=[customer.id], until=None, **terms)
    without_a_day = Hold.objects.get().until
    hold(customer, until=soon)
    with_a_day = Hold.objects.get().until
    hold(customer)

    assert (without_a_day, with_a_day, Hold.objects.get().until) == (long, soon, TODAY + timedelta(days=14))


def test_a_hold_that_ended_is_not_taken_up_again(customer):
    first = hold(customer)
    end_hold(first, ended_by=UserFactory(), now=NOW)

    assert hold(customer).id != first.id


def test_several_are_held_at_once_in_the_same_number_of_statements(customer, django_assert_num_queries):
    customers = [CustomerFactory(merchant=customer.merchant) for _ in range(30)]
    invoices = [InvoiceFactory(customer=each) for each in customers]
    stranger, terms = CustomerFactory(), {"reason": HoldReason.DISPUTE, "until": None, "note": "Strike", "now": NOW}

    with django_assert_num_queries(7):
        held = put_several_on_hold(
            merchant=customer.merchant,
            customer_ids=[*(each.id for each in customers), stranger.id],
            invoice_ids=[invoice.id for invoice in invoices],
            held_by=None,
            **terms,
        )

    assert len(held) == Hold.objects.count() == 60
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


def test_a_bounce_that_names_no_address_ends_only_once_there_is_one(customer):
    Contact.objects.filter(customer=customer).update(email="")
    named = {"merchant": customer.merchant, "customer": customer}
    hold_for_bounce(customer=customer, now=NOW)

    Notification.objects.create(topic=Topic.METHODS, **named)
    change_contact(customer=customer, person=Person("Jo", "Doe", "", ""), language="")
    Contact.objects.create(email="other@acme.example", **named)
    before = holds_of(customer, today=TODAY).count()
    correct_address(customer, "right@acme.example")

    assert (before, holds_of(customer, today=TODAY).count()) == (1, 0)


def test_a_bounce_of_a_customer_without_contacts_ends_with_the_first_one(customer):
    Contact.objects.filter(customer=customer).delete()
    hold_for_bounce(customer=customer, now=NOW)

    Contact.objects.create(merchant=customer.merchant, customer=customer, email="jo@acme.example", is_primary=True)

    assert not holds_of(customer, today=TODAY)


def settle(invoice, status=InvoiceStatus.PAID):
    Invoice.objects.filter(id=invoice.id).update(status=status, balance=0, in_flight=0)


def reopen(invoice):
    Invoice.objects.filter(id=invoice.id).update(status=InvoiceStatus.OPEN, balance=invoice.total, in_flight=0)


def test_invoices_that_stay_open_are_not_each_compared_with_each(customer):
    owe_alike(customer, 12_000)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '3s'")  # comparing each with each takes twice that
        changed_count = Invoice.objects.update(due_on=TODAY)

    assert changed_count == 12_000


def by_reason(reason, days=None):
    """Return what puts a customer on hold for a reason, and does not end it."""
    until = None if days is None else TODAY + timedelta(days=days)
    return lambda customer, _: hold(customer, reason=reason, until=until)


# What stops reminders, the last day on which it does, and what ends it where that is no day.
STOPS = {
    "paid": (lambda _, invoice: settle(invoice), None, lambda _, invoice: reopen(invoice)),
    "processing": (
        lambda _, invoice: Invoice.objects.filter(id=invoice.id).update(in_flight=invoice.balance),
        None,
        lambda _, invoice: Invoice.objects.filter(id=invoice.id).update(in_flight=0),
    ),
    "autopay": (by_reason(HoldReason.AUTOPAY), 90, None),
    "autopay until a day": (by_reason(HoldReason.AUTOPAY, 30), 30, None),
    "promise to pay": (by_reason(HoldReason.PROMISE, 3), 3, None),
    "dispute": (by_reason(HoldReason.DISPUTE), 14, None),
    "dispute until a day": (by_reason(HoldReason.DISPUTE, 40), 40, None),
    "reply received": (by_reason(HoldReason.REPLY), 7, None),
    "bounced address": (
        lambda customer, _: hold_for_bounce(customer=customer, now=NOW),
        None,
        lambda customer, _: correct_address(customer, "right@acme.example"),
    ),
    "bounced address, by hand": (
        by_reason(HoldReason.BOUNCED),
        None,
        lambda customer, _: correct_address(customer, "right@acme.example"),
    ),
    "pause until a date": (by_reason(HoldReason.PAUSE, 3), 3, None),
}


@pytest.mark.parametrize("name", STOPS)
def test_whatever_stops_mails_ends_by_itself(customer, name):
    stop, last, end = STOPS[name]
    invoice = InvoiceFactory(customer=customer)

    def mails(days):
        return overdue_summary(customer.merchant, NOW + timedelta(days=days)).mail_count

    assert mails(0) == 1
    stop(customer, invoice)
    far = 1000 if last is None else last
    assert (mails(0), mails(far)) == (0, 0)
    if end:
        end(customer, invoice)
    assert mails(far + 1) == 1


@pytest.mark.parametrize("reason", HoldReason)
@pytest.mark.parametrize("status", [InvoiceStatus.PAID, InvoiceStatus.VOID, InvoiceStatus.WRITTEN_OFF])
def test_what_was_promised_disputed_or_replied_about_ends_when_it_is_settled(customer, reason, status):
    one, two = InvoiceFactory.create_batch(2, customer=customer)
    hold(customer, reason=reason, until=TODAY + timedelta(days=9), invoice=one)
    hold(customer, reason=reason, until=TODAY + timedelta(days=9))

    settle(one, status)
    after_one = [each.invoice_id for each in holds_of(customer, today=TODAY)]
    settle(two, status)
    after_all = holds_of(customer, today=TODAY).count()

    stays = reason not in ENDS_WHEN_SETTLED
    assert after_one == ([one.id, None] if stays else [None])
    assert after_all == (2 if stays else 0)


def test_one_statement_that_settles_many_ends_what_is_over_and_nothing_else(customer):
    owing = CustomerFactory(merchant=customer.merchant)
    paid, other, still_open = (InvoiceFactory(customer=each) for each in (customer, customer, owing))
    together = InvoiceFactory(customer=owing)
    until = TODAY + timedelta(days=9)
    for target, invoice in ((customer, paid), (customer, None), (owing, together), (owing, still_open), (owing, None)):
        hold(target, reason=HoldReason.PROMISE, until=until, invoice=invoice)

    settled = Invoice.objects.filter(id__in=[paid.id, other.id, together.id])
    settled.update(status=InvoiceStatus.PAID, balance=0, in_flight=0)

    assert not holds_of(customer, today=TODAY).exists()
    assert {each.invoice_id for each in holds_of(owing, today=TODAY)} == {still_open.id, None}


def test_no_hold_is_without_an_end(customer):
    with pytest.raises(IntegrityError, match="hold_ends_by_itself"), transaction.atomic():
        Hold.objects.filter(id=hold(customer).id).update(until=None)


def test_a_hold_to_be_looked_at_is_prolonged_also_when_its_day_has_just_passed_but_not_when_it_ended(customer):
    dispute, promise = hold(customer), hold(customer, reason=HoldReason.PROMISE, until=TODAY)
    days = [days for days in range(40) if Hold.objects.all().to_review(today=TODAY + timedelta(days=days)).exists()]

    assert days == list(range(12, 22))
    assert prolong_hold(dispute, now=NOW + timedelta(days=20)) == TODAY + timedelta(days=34)
    assert prolong_hold(dispute, now=NOW) == TODAY + timedelta(days=34)
    assert holds_of(customer, today=TODAY + timedelta(days=34)).get() == dispute
    end_hold(dispute, ended_by=None, now=NOW)
    for each in (dispute, promise):
        with pytest.raises(HoldHasEnded):
            prolong_hold(each, now=NOW)


def test_other_holds_do_not_end_with_the_address(customer):
    hold(customer)

    correct_address(customer, "right@acme.example")

    assert holds_of(customer, today=TODAY).count() == 1
