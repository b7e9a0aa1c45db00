"""The daily run: finds merchants whose hour has come, sends what their rules say, or holds it for a person."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Avg, Min

from payorcrm.core.errors import Refused
from payorcrm.core.ids import uuid7_start
from payorcrm.core.models import User
from payorcrm.mail.jobs import deliver_soon
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.conditions import most_days_late
from payorcrm.reminders.mails import KIND
from payorcrm.reminders.match import STEPS_TO_SEND, Found, match_rules
from payorcrm.reminders.models import DayRun, DayRunState, ReminderRun, Rule, Schedule
from payorcrm.reminders.send import NEW_IDS, WRITE
from payorcrm.reminders.sending_days import WORKDAYS, run_day, schedule_of, step_days

# Of a size that no person needs to look at, however quiet the days before were.
FEW_MAILS, FEW_INVOICES = 20, 100
RUNS_REMEMBERED = 30


class NotHeld(Refused):
    """A run that somebody decides about does not wait for anybody any more."""

    code = "not_held"
    status: ClassVar[int] = 409
    message = "Somebody has decided about this run already. Nothing was changed."


def run_due_rules(*, now: datetime) -> list[DayRun]:
    """Run the rules of every merchant whose hour has come and whose day has had no run."""
    merchants = Merchant.objects.filter(rules__is_active=True).distinct().select_related("schedule")
    runs = []
    for merchant in merchants.order_by("id"):
        schedule = getattr(merchant, "schedule", None) or Schedule(merchant=merchant, weekdays=WORKDAYS)
        day = run_day(schedule, merchant.time_zone, now)
        if day and not DayRun.objects.filter(merchant=merchant, day=day).exists():
            runs += run_rules(merchant=merchant, schedule=schedule, day=day, now=now)
    return runs


def run_rules(*, merchant: Merchant, schedule: Schedule, day: date, now: datetime) -> list[DayRun]:
    """Run a merchant's rules for one day; nothing if another scheduler has done it."""
    days = step_days(schedule, day)
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=merchant.id)
        run, is_new = DayRun.objects.get_or_create(
            merchant=merchant, day=day, defaults={"started_at": now, "step_days": days}
        )
        if not is_new:
            return []
        rules = active_rules(merchant)
        found = match_rules(rules, merchant=merchant, schedule=schedule, days=days, now=now)
        run.held_because = _why_to_hold(run, schedule, rules, found)
        _count(run, found)
        if run.held_because:
            run.state = DayRunState.HELD
        else:
            _send(run, rules, now)
        run.save()
    return [run]


def active_rules(merchant: Merchant) -> list[Rule]:
    """Return the rules that are switched on."""
    return list(Rule.objects.filter(merchant=merchant, is_active=True).select_related("template").order_by("position"))


def release_run(*, run_id: UUID, released_by: User | None, now: datetime) -> DayRun:
    """Send what a held run would have sent and is still owed and due. Raises NotHeld."""
    with transaction.atomic():
        run, rules = _decide(run_id, DayRunState.RELEASED, released_by, now)
        found = _match_again(run, rules, now)
        _count(run, found)
        _send(run, rules, now)
        run.save()
    return run


def drop_run(*, run_id: UUID, dropped_by: User | None, now: datetime) -> DayRun:
    """Send nothing of a held run, ever: its steps count as done. Raises NotHeld."""
    with transaction.atomic():
        run, rules = _decide(run_id, DayRunState.DROPPED, dropped_by, now)
        _match_again(run, rules, now)
        with connection.cursor() as cursor:
            cursor.execute(DROP, {"day_run": run.id})
        run.save()
    return run


def _decide(run_id: UUID, state: DayRunState, decided_by: User | None, now: datetime) -> tuple[DayRun, list[Rule]]:
    run = DayRun.objects.select_for_update(of=("self",)).select_related("merchant").get(id=run_id)
    if run.state != DayRunState.HELD:
        raise NotHeld
    Merchant.objects.select_for_update(no_key=True).get(id=run.merchant_id)
    run.state, run.decided_by, run.decided_at = state, decided_by, now
    return run, active_rules(run.merchant)


def _match_again(run: DayRun, rules: Sequence[Rule], now: datetime) -> Found:
    schedule = schedule_of(run.merchant)
    return match_rules(rules, merchant=run.merchant, schedule=schedule, days=run.step_days, now=now)


def _count(run: DayRun, found: Found) -> None:
    run.mail_count, run.invoice_count, run.oldest_due_on = found.mail_count, found.invoice_count, found.oldest_due_on


def _why_to_hold(run: DayRun, schedule: Schedule, rules: Sequence[Rule], found: Found) -> str:
    past = DayRun.objects.filter(merchant=run.merchant, state__in=[DayRunState.SENT, DayRunState.RELEASED])
    sizes = past.filter(mail_count__gt=0).order_by("-day").values("mail_count", "invoice_count")[:RUNS_REMEMBERED]
    usual = sizes.aggregate(mails=Avg("mail_count", default=0), invoices=Avg("invoice_count", default=0))
    if found.mail_count > max(FEW_MAILS, schedule.brake_factor * usual["mails"]):
        return f"It has {found.mail_count:,} mails; usual are {round(usual['mails']):,} a run."
    if found.invoice_count > max(FEW_INVOICES, schedule.brake_factor * usual["invoices"]):
        return f"It has {found.invoice_count:,} invoices; usual are {round(usual['invoices']):,} a run."
    oldest = past.aggregate(oldest=Min("oldest_due_on"))["oldest"]
    if found.oldest_due_on and _is_older_than_any(found.oldest_due_on, oldest, run, rules):
        return f"An invoice was due on {found.oldest_due_on.isoformat()}: older than any that rules sent before."
    return ""


def _is_older_than_any(due_on: date, oldest: date | None, run: DayRun, rules: Sequence[Rule]) -> bool:
    """Say whether an invoice is older than those of all runs before and than what the rules name themselves."""
    named = max((most_days_late(rule.conditions) for rule in rules), default=0)
    is_named = (run.step_days[0] - due_on).days <= named
    return not is_named and (oldest is None or due_on < oldest)


def _send(run: DayRun, rules: Sequence[Rule], now: datetime) -> None:
    ReminderRun.objects.bulk_create(
        ReminderRun(merchant=run.merchant, template=rule.template, rule=rule, day_run=run, started_at=now)
        for rule in rules
    )
    names: dict[str, Any] = {"merchant": run.merchant_id, "day_run": run.id, "now": now, "to_address": "", "kind": KIND}
    with connection.cursor() as cursor:
        cursor.execute(SEND, names | {"uuid7_start": uuid7_start()})
        for statement in (COUNT, STEPS, OMISSIONS):
            cursor.execute(statement, {"day_run": run.id})
    ReminderRun.objects.filter(day_run=run, reminder_count=0).delete()
    if run.mail_count:
        deliver_soon()


SEND = f"""
WITH chosen AS MATERIALIZED (
    SELECT considered.*, run.id AS run_id, {NEW_IDS}
    FROM considered
    JOIN reminders_reminderrun AS run ON run.day_run_id = %(day_run)s AND run.rule_id = considered.rule_id
    WHERE left_out IS NULL
),
{WRITE}
"""  # noqa: S608
COUNT = """
UPDATE reminders_reminderrun AS run SET reminder_count = counted.mails, invoice_count = counted.invoices
FROM (
    SELECT rule_id, count(*) AS mails, sum(cardinality(invoice_ids)) AS invoices
    FROM considered WHERE left_out IS NULL GROUP BY rule_id
) AS counted
WHERE run.day_run_id = %(day_run)s AND run.rule_id = counted.rule_id
"""
STEPS = f"""
INSERT INTO reminders_step (rule_id, invoice_id, day, day_run_id, is_dropped)
SELECT rule_id, invoice_id, day, %(day_run)s, false FROM ({STEPS_TO_SEND}) AS step
"""  # noqa: S608
OMISSIONS = """
INSERT INTO reminders_omission (day_run_id, customer_id, reason, invoice_count)
SELECT %(day_run)s, customer_id, left_out, cardinality(invoice_ids) FROM considered WHERE left_out IS NOT NULL
"""
DROP = """
INSERT INTO reminders_step (rule_id, invoice_id, day, day_run_id, is_dropped)
SELECT rule_id, invoice_id, day, %(day_run)s, true FROM matched
"""
