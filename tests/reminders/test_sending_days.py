"""Days of sending: which days a run makes up for, where a merchant's own calendar leaves few of them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from payorcrm.invoices.models import Invoice
from payorcrm.reminders.models import Rule, Schedule
from payorcrm.reminders.sending_days import step_days
from tests.factories.due_runs import run_due_rules
from tests.reminders.rules import invoice_due, mark_sent

MONDAY = date(2027, 11, 1)


@pytest.mark.parametrize(
    ("weekdays", "country", "day", "first"),
    [
        ([0, 1, 2, 3, 4, 5, 6], "", MONDAY, date(2027, 10, 27)),  # five days
        ([0, 1, 2, 3, 4], "", MONDAY, date(2027, 10, 27)),
        ([0, 1, 2, 3, 4], "", date(2027, 11, 4), date(2027, 10, 30)),  # of a weekend that is sent on Monday
        ([0], "", MONDAY, date(2027, 10, 19)),  # the Monday before, and what waited for it
        ([0, 1], "", MONDAY, date(2027, 10, 26)),  # Tuesday's, six days ago: there was no other chance
        ([0, 1], "", date(2027, 11, 2), date(2027, 10, 27)),
        ([0], "GB", date(2028, 1, 10), date(2027, 12, 14)),  # two holidays on Mondays
    ],
)
def test_a_run_goes_back_five_days_or_to_the_day_of_sending_before_it(weekdays, country, day, first):
    days = step_days(Schedule(weekdays=weekdays, country=country), day)

    assert days == [first + timedelta(days=ahead) for ahead in range((day - first).days + 1)]


def _send_on_mondays_only_by_one_rule(schedule):
    schedule.weekdays, schedule.country = [0], "GB"
    schedule.save()
    Rule.objects.filter(merchant=schedule.merchant).exclude(name="7 days overdue").update(is_active=False)


# Who sends on Mondays only, in Britain, has none on December 27, 2027 and January 3, 2028.
@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (MONDAY, {date(2027, 11, 8): 2}),
        (date(2027, 12, 20), {date(2028, 1, 10): 2}),
    ],
)
def test_who_sends_on_mondays_only_and_misses_one_sends_its_steps_on_the_next_once(ruled, day, counts):
    _send_on_mondays_only_by_one_rule(ruled.merchant.schedule)
    for due_on in (day, day - timedelta(days=6), day - timedelta(days=7)):
        invoice_due(due_on - timedelta(days=7), customer=ruled)
    arrived_late = invoice_due(day - timedelta(days=7), customer=ruled)
    Invoice.objects.filter(id=arrived_late.id).update(
        created_at=datetime.combine(day, time(12), UTC) + timedelta(days=1)
    )

    found = {}
    for ahead in range(1, 40):
        now = datetime.combine(day + timedelta(days=ahead), time(16), UTC)
        found |= {run.day: run.invoice_count for run in run_due_rules(now=now)}
        mark_sent()

    assert {day: count for day, count in found.items() if count} == counts


def test_a_second_monday_missed_loses_the_steps_of_the_first(ruled):
    _send_on_mondays_only_by_one_rule(ruled.merchant.schedule)
    invoice_due(MONDAY - timedelta(days=7), customer=ruled)

    (run,) = run_due_rules(now=datetime.combine(MONDAY + timedelta(days=14), time(16), UTC))

    assert run.invoice_count == 0
