"""Over 400 days with outages, the system sends what a bookkeeper with a calendar would send, no more, no less."""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, islice
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from holidays import country_holidays
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import PaymentRequestLine
from payorcrm.reminders.models import Rule, Step
from tests.factories.due_runs import run_due_rules
from tests.factories.models import CustomerFactory, MerchantFactory
from tests.reminders.rules import invoice_due, mark_sent, set_schedule, switch_all_on

# Both changes of the clocks, and a 29 February.
START, DAYS = date(2027, 11, 1), 400
OFFSETS = {"Due in 5 days": -5, "7 days overdue": 7, "60 days overdue": 60}
ZONES = ["America/New_York", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Honolulu", "Australia/Lord_Howe"]
# The holidays of 2027 and 2028 take two Mondays in a row from who sends in Britain on Mondays.
COUNTRIES = ["", "US", "GB"]
WEEKDAYS = [[0], [0], [0, 1], [2, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5, 6]]
HOURS = [time(0), time(9), time(23, 30)]
# Days from one look at the timetable to the next.
GAPS = [6, 1, 1, 2, 3, 5, 8, 15]
# Minutes of the day, many of them about the hours of runs.
MOMENTS = [0, 5, 290, 539, 540, 700, 1409, 1410, 1439]
CUSTOMERS = 4


@dataclass(frozen=True)
class Life:
    """Where and when a merchant sends, when the machine looks at its timetable there, and when invoices are due."""

    zone: str
    country: str
    weekdays: list[int]
    hour: time
    moments: list[datetime]
    due: list[list[date]]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    gaps = draw(st.lists(st.sampled_from(GAPS), min_size=40, max_size=40))
    minutes = draw(st.lists(st.sampled_from(MOMENTS), min_size=75, max_size=75))
    due = draw(st.lists(st.lists(st.integers(10, 320), min_size=1, max_size=6), min_size=CUSTOMERS, max_size=CUSTOMERS))
    moments, day, minute = [], 0, cycle(minutes)
    for place, gap in enumerate(cycle(gaps)):
        if day >= DAYS:
            break
        # One look, and on every third day a second one.
        looks = sorted(islice(minute, 1 + (place % 3 == 0)))
        moments += [datetime.combine(START + timedelta(days=day), time(look // 60, look % 60)) for look in looks]
        day += gap
    return Life(
        zone=draw(st.sampled_from(ZONES)),
        country=draw(st.sampled_from(COUNTRIES)),
        weekdays=draw(st.sampled_from(WEEKDAYS)),
        hour=draw(st.sampled_from(HOURS)),
        moments=moments,
        due=[[START + timedelta(days=days) for days in each] for each in due],
    )


Sent = tuple[int, date, frozenset[int]]


def by_hand(life: Life) -> Iterator[Sent]:
    """Say what is to be sent: to which customer, by the run of which day, about which of the customer's invoices."""
    calendar = [
        day for day in (START + timedelta(days=ahead) for ahead in range(2 * DAYS)) if is_sending_day(life, day)
    ]
    waiting = [
        {
            (invoice, *chances(calendar, due_on + timedelta(days=offset)))
            for invoice, due_on in enumerate(each)
            for offset in OFFSETS.values()
        }
        for each in life.due
    ]
    runs: set[date] = set()
    last_mail: dict[int, date] = {}
    for moment in life.moments:
        run = moment.date() if moment.time() >= life.hour else moment.date() - timedelta(days=1)
        if run in runs or run not in calendar or moment.date() not in calendar:
            continue
        runs.add(run)
        for customer, steps in enumerate(waiting):
            ready = {step for step in steps if step[1] <= run <= step[2]}
            if ready and last_mail.get(customer) != moment.date():
                yield customer, run, frozenset(invoice for invoice, *_ in ready)
                last_mail[customer] = moment.date()
                steps -= ready


def is_sending_day(life: Life, day: date) -> bool:
    is_holiday = bool(life.country) and day in country_holidays(life.country, years=day.year)
    return day.weekday() in life.weekdays and not is_holiday


def chances(calendar: list[date], due_on: date) -> tuple[date, date, date]:
    """Return the day on which something is to be sent and the last one on which it still is, after the day itself."""
    to_be_sent, next_one = [day for day in calendar if day >= due_on][:2]
    return to_be_sent, max(next_one, to_be_sent + timedelta(days=5)), due_on


class Schedulers:
    """Two schedulers on two connections, that look at their timetables in the same instant."""

    def __init__(self) -> None:
        self.pool, self.start = ThreadPoolExecutor(2), Barrier(2)

    def look(self, now: datetime) -> int:
        """Let both look, and return how many runs there were."""
        return sum(self.pool.map(self._look, [now, now]))

    def _look(self, now: datetime) -> int:
        self.start.wait()
        return len(run_due_rules(now=now))

    def stop(self) -> None:
        """Give the connections back."""
        list(self.pool.map(self._close, range(2)))
        self.pool.shutdown()

    def _close(self, _: int) -> None:
        self.start.wait()
        connection.close()


def by_the_system(life: Life, merchant: Merchant, schedulers: Schedulers) -> list[Sent]:
    """Let the system live it, and return what it sent."""
    invoices: dict[object, tuple[int, int]] = {}
    for place, each in enumerate(life.due):
        customer = CustomerFactory(merchant=merchant)
        for number, due_on in enumerate(each):
            invoices[invoice_due(due_on, customer=customer).id] = place, number
    for moment in life.moments:
        if schedulers.look(moment.replace(tzinfo=ZoneInfo(life.zone)).astimezone(UTC)):
            mark_sent()
    sent: dict[tuple[object, date], set[tuple[int, int]]] = defaultdict(set)
    lines = PaymentRequestLine.objects.filter(request__merchant=merchant)
    place_of = ("request__reminder__id", "request__reminder__run__day_run__day", "invoice_id")
    for reminder, day, invoice in lines.values_list(*place_of):
        sent[reminder, day].add(invoices[invoice])
    return [(min(pairs)[0], day, frozenset(number for _, number in pairs)) for (_, day), pairs in sent.items()]


@pytest.fixture
def schedulers() -> Iterator[Schedulers]:
    started = Schedulers()
    yield started
    started.stop()


@pytest.mark.django_db(transaction=True)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
@given(life=lives())
def test_over_400_days_with_outages_two_schedulers_send_every_due_step_exactly_once(schedulers, life):
    merchant = MerchantFactory(time_zone=life.zone)
    set_schedule(merchant, send_at=life.hour, weekdays=life.weekdays, country=life.country, brake_factor=100)
    switch_all_on(merchant, now=datetime.combine(START, time(0), ZoneInfo(life.zone)))
    Rule.objects.filter(merchant=merchant).exclude(name__in=OFFSETS).delete()

    try:
        sent = by_the_system(life, merchant, schedulers)
    finally:
        Rule.objects.filter(merchant=merchant).update(is_active=False)

    assert sorted(sent, key=repr) == sorted(by_hand(life), key=repr)
    steps = Step.objects.filter(day_run__merchant=merchant).values_list("invoice_id", "day")
    assert len(steps) == len(set(steps))
