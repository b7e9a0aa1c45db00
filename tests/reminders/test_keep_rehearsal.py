"""A rehearsal is worked out once, kept, found again, and replaced as soon as anything changes."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant
from payorcrm.reminders import keep_rehearsal, work_out_rehearsal
from payorcrm.reminders.foresee import foresee
from payorcrm.reminders.keep_rehearsal import change_of, first_mails, forget_rehearsals, name_invoices, rehearsal_of
from payorcrm.reminders.models import Hold, HoldReason, Schedule
from payorcrm.reminders.rehearsal_models import KeptRehearsal, RehearsedMail
from payorcrm.reminders.rehearse import rehearse
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.switch_rules import switch_off
from payorcrm.reminders.work_out_rehearsal import work_out
from tests.factories.models import NOW, TODAY, CustomerFactory
from tests.reminders.rules import invoice_due, set_schedule, switch_all_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    """A customer of a merchant whose seven rules are on, and who owes something since yesterday."""
    customer = CustomerFactory()
    set_schedule(customer.merchant)
    switch_all_on(customer.merchant)
    invoice_due(TODAY - timedelta(days=1), customer=customer)
    return customer


def test_what_is_kept_is_what_a_rehearsal_says(customer: Customer) -> None:
    merchant = customer.merchant
    for days in (1, 3, 60):
        invoice_due(TODAY - timedelta(days=days), customer=CustomerFactory(merchant=merchant))
    fresh = rehearse(merchant, active_rules(merchant), now=NOW)

    kept = rehearsal_of(merchant, now=NOW)

    mails = list(kept.mails.order_by("id"))
    numbers = name_invoices(mails)
    said = [(mail.day, mail.customer_id, mail.rule_id, mail.money(), tuple(numbers[mail.id])) for mail in mails]
    assert said == [(each.day, each.customer_id, each.rule.id, each.amount, each.numbers) for each in fresh.mails] != []
    days = list(kept.days.order_by("day"))
    assert {each.day: each.held_because for each in days if each.held_because} == fresh.held
    assert sum(each.mail_count for each in days) == len(mails) == sum(each.invoice_count for each in days)
    assert [mail.id for mail in first_mails(kept, most=1)] == [
        kept.mails.filter(day=each.day).first().id for each in days
    ]
    assert (kept.worked_out_at, kept.rule_count, kept.invoice_count) == (NOW, 7, 4)


def _pay(customer: Customer) -> None:
    Invoice.objects.update(balance=1)


def _pause(customer: Customer) -> None:
    until = TODAY + timedelta(days=9)
    Hold.objects.create(
        merchant=customer.merchant, customer=customer, reason=HoldReason.PAUSE, until=until, held_at=NOW
    )


def _rename(customer: Customer) -> None:
    Customer.objects.update(company_name="Another name")


def _send_less_often(customer: Customer) -> None:
    Schedule.objects.update(min_days_between=9)


def _switch_one_off(customer: Customer) -> None:
    switch_off(active_rules(customer.merchant)[0])


@pytest.mark.parametrize("change", [_pay, _pause, _rename, _send_less_often, _switch_one_off])
def test_it_is_found_again_until_something_changes(customer: Customer, change: Callable[[Customer], None]) -> None:
    first = rehearsal_of(customer.merchant, now=NOW)
    again = rehearsal_of(customer.merchant, now=NOW + timedelta(minutes=5))
    # A transaction of its own, as far as PostgreSQL's notes on rows go.
    with transaction.atomic():
        change(customer)

    other = rehearsal_of(Merchant.objects.get(id=customer.merchant_id), now=NOW)

    assert again == first != other
    assert other.worked_out_at


def test_another_day_makes_another_one(customer: Customer) -> None:
    assert rehearsal_of(customer.merchant, now=NOW) != rehearsal_of(customer.merchant, now=NOW + timedelta(days=1))


def test_a_large_one_is_worked_out_by_a_job_once(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)

    waiting = rehearsal_of(customer.merchant, now=NOW)
    rehearsal_of(customer.merchant, now=NOW + timedelta(minutes=1))
    with CaptureQueriesContext(connection) as asked:
        rehearsal_of(customer.merchant, now=NOW + timedelta(minutes=3))
    while_it_waits = jobs()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    for _ in range(2):
        rehearsal_of(customer.merchant, now=NOW + timedelta(minutes=3))
    for _ in range(2):
        work_out(waiting.id, now=NOW)

    assert waiting.worked_out_at is None
    assert (while_it_waits, jobs()) == ([str(waiting.id)], [str(waiting.id)] * 2)
    # Whoever works it out has locked its row meanwhile.
    assert not [each["sql"] for each in asked if "UPDATE" in each["sql"]]
    assert rehearsal_of(customer.merchant, now=NOW).worked_out_at == NOW
    assert RehearsedMail.objects.count() == 3


def test_a_large_one_that_is_under_way_is_the_one_whatever_changes(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    found = []
    for minutes in range(4):
        with transaction.atomic():
            _rename(customer)
        found.append(rehearsal_of(customer.merchant, now=NOW + timedelta(minutes=minutes)))

    work_out(found[0].id, now=NOW + timedelta(minutes=9))
    after = rehearsal_of(customer.merchant, now=NOW + timedelta(minutes=9))

    assert set(found) == {found[0]} != {after}
    assert jobs() == [str(found[0].id), str(after.id)]
    assert set(ProcrastinateJob.objects.values_list("lock", flat=True)) == {f"rehearsals of {customer.merchant_id}"}


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_who_asks_for_what_is_being_worked_out(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    merchant, (rule, *_) = customer.merchant, active_rules(customer.merchant)
    waiting, asked = rehearsal_of(merchant, now=NOW), []

    def ask() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '500ms'")
            asked.append(rehearsal_of(merchant, now=NOW + timedelta(minutes=9)))
            asked.append(change_of(rule, now=NOW).compared_with)
        finally:
            connection.close()

    def foresee_while_somebody_asks(*given: Any, **named: Any) -> Any:
        beside = Thread(target=ask)
        beside.start()
        beside.join()
        return foresee(*given, **named)

    monkeypatch.setattr(work_out_rehearsal, "foresee", foresee_while_somebody_asks)

    work_out(waiting.id, now=NOW)

    assert asked == [waiting] * 2


def jobs() -> list[str]:
    """Return the rehearsals that jobs are to work out."""
    waiting = ProcrastinateJob.objects.filter(task_name="payorcrm.reminders.jobs.work_out_rehearsal")
    return [str(each.args["rehearsal_id"]) for each in waiting.order_by("id")]


def test_the_latest_stays_for_a_day_and_others_for_an_hour(customer: Customer) -> None:
    first = rehearsal_of(customer.merchant, now=NOW)
    with transaction.atomic():
        _pay(customer)
    second = rehearsal_of(customer.merchant, now=NOW + timedelta(minutes=1))
    elsewhere = rehearsal_of(CustomerFactory().merchant, now=NOW)
    left = []

    for later in (timedelta(minutes=30), timedelta(hours=2), timedelta(days=2)):
        forget_rehearsals(now=NOW + later)
        left.append(set(KeptRehearsal.objects.all()))

    assert left == [{first, second, elsewhere}, {second, elsewhere}, set()]
    assert RehearsedMail.objects.count() == 0
