"""What became of runs: mails by state, who was left out, and when the next one is."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, QuerySet, When

from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import DayRun, DayRunState, Hold, LeftOut, Reminder, Rule
from payorcrm.reminders.run_rules import due_day
from payorcrm.reminders.sending_days import schedule_of, sending_days

# The timetable looks every five minutes; later than this, something is wrong.
PATIENCE = timedelta(minutes=15)
FARTHEST = 60


@dataclass(frozen=True, slots=True)
class LeftOutOfRun:
    """A customer of whose invoices a run did not speak, and why."""

    customer_id: UUID
    company_name: str
    reason: LeftOut
    invoice_count: int


@dataclass(frozen=True, slots=True)
class MailsOfRun:
    """How many mails of a run are in one state."""

    state: MailState
    count: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """When rules ran last and when they run next, in the merchant's time; `late_since` where a run should have been.

    `is_due` where the hour has come and the worker has not looked yet: then the next run is that one.
    """

    last: DayRun | None
    is_due: bool
    next_at: datetime | None
    waiting: list[DayRun]
    late_since: datetime | None


def left_out_of(run: DayRun, *, most: int) -> list[LeftOutOfRun]:
    """Return whom a run left out, by name."""
    rows = run.omissions.values("customer_id", "customer__company_name", "reason")
    counted = rows.annotate(count=Count("invoice", distinct=True)).order_by("customer__company_name", "customer_id")
    return [
        LeftOutOfRun(row["customer_id"], row["customer__company_name"], LeftOut(row["reason"]), row["count"])
        for row in counted[:most]
    ]


def mails_of(run: DayRun) -> list[MailsOfRun]:
    """Count a run's mails by what became of them."""
    rows = Mail.objects.filter(reminder__run__day_run=run).values("state").annotate(count=Count("id"))
    counts = {row["state"]: row["count"] for row in rows.order_by("state")}
    return [MailsOfRun(state, counts[state]) for state in MailState if state in counts]


def reminders_of(run: DayRun, *, most: int) -> QuerySet[Reminder]:
    """Return a run's first reminders: those that a person should look at come first, then by name."""
    found = Reminder.objects.filter(run__day_run=run).select_related("mail", "customer", "run__rule")
    trouble = Case(When(mail__state__in=[MailState.FAILED, MailState.BOUNCED], then=0), default=1)
    return found.order_by(trouble, "customer__company_name", "id")[:most]


def timetable_of(merchant: Merchant, *, now: datetime) -> Timetable:
    """Say when rules ran, whether a run waits for a person or is late, and when the next one is."""
    runs = DayRun.objects.filter(merchant=merchant)
    rules = Rule.objects.filter(merchant=merchant, is_active=True)
    due = due_day(merchant, now)
    since = hour_of(merchant, due) if due and rules.filter(active_since__lt=due).exists() else None
    return Timetable(
        last=runs.order_by("-day").first(),
        is_due=due is not None,
        next_at=_next_at(merchant, now) if rules.exists() else None,
        waiting=list(runs.filter(state=DayRunState.HELD).order_by("-day")),
        late_since=since if since and now - since > PATIENCE else None,
    )


def hour_of(merchant: Merchant, day: date) -> datetime:
    """Return the moment of a day at which the merchant's rules run."""
    return datetime.combine(day, schedule_of(merchant).send_at, ZoneInfo(merchant.time_zone))


def _next_at(merchant: Merchant, now: datetime) -> datetime | None:
    schedule = schedule_of(merchant)
    local = now.astimezone(ZoneInfo(merchant.time_zone))
    is_sending_day = sending_days(schedule)
    first = 0 if local.time() < schedule.send_at else 1
    for ahead in range(first, FARTHEST):
        day = local.date() + timedelta(days=ahead)
        if is_sending_day(day):
            return hour_of(merchant, day)
    return None


def missed_before(run: DayRun) -> list[date]:
    """Return days between a run and the one before it whose steps neither sends: they were missed for too long."""
    before = DayRun.objects.filter(merchant=run.merchant_id, day__lt=run.day).order_by("-day").first()
    if before is None or not run.step_days:
        return []
    gap = (min(run.step_days) - before.day).days
    return [before.day + timedelta(days=place) for place in range(1, gap)]


def holds_in_force(merchant: Merchant, *, today: date) -> int:
    """Count what stops reminders today."""
    return Hold.objects.filter(merchant=merchant).active(today=today).count()


def holds_to_review(merchant: Merchant, *, today: date) -> int:
    """Count the holds that somebody should prolong or let end."""
    return Hold.objects.filter(merchant=merchant).to_review(today=today).count()


def midnight_of(merchant: Merchant, day: date) -> datetime:
    """Return when a day begins where the merchant is."""
    return datetime.combine(day, time.min, ZoneInfo(merchant.time_zone))
