"""Over 400 days with outages, the system sends what a bookkeeper with a calendar would send, no more, no less."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import Reminder, Rule, Step
from payorcrm.reminders.run_rules import run_due_rules
from tests.factories.models import CustomerFactory, MerchantFactory
from tests.reminders.rules import invoice_due, mark_sent, set_schedule, switch_all_on

ZONE = ZoneInfo("America/New_York")
SEND_AT = time(23, 30)
# Both changes of the clocks, and a 29 February.
START, DAYS = date(2027, 11, 1), 400
OFFSETS = {"Due in 5 days": -5, "7 days overdue": 7, "14 days overdue": 14, "60 days overdue": 60}
# After an outage of more than five days, the oldest steps are lost, as they should be.
GAPS = [1, 2, 3, 5, 6, 8]
# Minutes of the day, many of them about the hour of the run.
MOMENTS = [5, 290, 700, 1000, 1409, 1410, 1425, 1439]
CUSTOMERS = 4


@dataclass(frozen=True)
class Life:
    """When the machine looks at its timetable, in local time, and when each customer's invoices are due."""

    moments: list[datetime]
    due: list[list[date]]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    gaps = draw(st.lists(st.sampled_from(GAPS), min_size=DAYS // 2, max_size=DAYS // 2))
    minutes = draw(st.lists(st.sampled_from(MOMENTS), min_size=DAYS, max_size=DAYS))
    due = draw(st.lists(st.lists(st.integers(10, 320), min_size=1, max_size=4), min_size=CUSTOMERS, max_size=CUSTOMERS))
    moments, day = [], 0
    for place, gap in enumerate(gaps):
        if day >= DAYS:
            break
        # One look, and on every third day a second one.
        for minute in sorted(minutes[place * 2 : place * 2 + 1 + (place % 3 == 0)]):
            local = datetime.combine(START + timedelta(days=day), time(minute // 60, minute % 60))
            moments.append(local)
        day += gap
    return Life(moments, [[START + timedelta(days=days) for days in each] for each in due])


Sent = tuple[int, date, frozenset[int]]


def by_hand(life: Life) -> Iterator[Sent]:
    """Say what is to be sent: to which customer, by the run of which day, about which of the customer's invoices."""
    waiting = [
        {
            (invoice, due_on + timedelta(days=offset))
            for invoice, due_on in enumerate(each)
            for offset in OFFSETS.values()
        }
        for each in life.due
    ]
    runs: set[date] = set()
    last_mail: dict[int, date] = {}
    for moment in life.moments:
        run = moment.date() if moment.time() >= SEND_AT else moment.date() - timedelta(days=1)
        if run in runs or run < START:
            continue
        runs.add(run)
        for customer, steps in enumerate(waiting):
            ready = {step for step in steps if run - timedelta(days=5) <= step[1] <= run}
            if ready and last_mail.get(customer) != moment.date():
                yield customer, run, frozenset(invoice for invoice, _ in ready)
                last_mail[customer] = moment.date()
                steps -= ready


def by_the_system(life: Life, merchant: Merchant) -> list[Sent]:
    """Let the system live it, two schedulers at each moment, and return what it sent."""
    invoices: dict[object, tuple[int, int]] = {}
    for place, each in enumerate(life.due):
        customer = CustomerFactory(merchant=merchant)
        for number, due_on in enumerate(each):
            invoices[invoice_due(due_on, customer=customer).id] = place, number
    for moment in life.moments:
        now = moment.replace(tzinfo=ZONE).astimezone(UTC)
        if run_due_rules(now=now):
            mark_sent()
            assert run_due_rules(now=now + timedelta(seconds=20)) == []
    sent: dict[tuple[object, date], set[tuple[int, int]]] = defaultdict(set)
    for reminder in Reminder.objects.select_related("run__day_run"):
        day_run = reminder.run.day_run
        assert day_run
        place = reminder.id, day_run.day
        sent[place] |= {invoices[line] for line in reminder.request.lines.values_list("invoice_id", flat=True)}
    return [(min(pairs)[0], day, frozenset(number for _, number in pairs)) for (_, day), pairs in sent.items()]


@pytest.mark.django_db
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
@given(life=lives())
def test_over_400_days_with_outages_every_due_step_is_sent_exactly_once(life):
    with transaction.atomic():
        merchant = MerchantFactory(time_zone=ZONE.key)
        set_schedule(merchant, send_at=SEND_AT, brake_factor=100)
        switch_all_on(merchant, now=datetime.combine(START, time(0), ZONE))
        Rule.objects.filter(merchant=merchant).exclude(name__in=OFFSETS).delete()

        sent = by_the_system(life, merchant)

        assert sorted(sent, key=repr) == sorted(by_hand(life), key=repr)
        steps = Step.objects.values_list("invoice_id", "day")
        assert len(steps) == len(set(steps)) <= Invoice.objects.count() * len(OFFSETS)
        transaction.set_rollback(True)
