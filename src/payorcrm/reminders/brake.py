"""Says why a run is odd enough to wait for a person: too large, too old, or full of what an import brought."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Avg, DurationField, ExpressionWrapper, F, Max, QuerySet

from payorcrm.reminders.conditions import most_days_late
from payorcrm.reminders.match import Found
from payorcrm.reminders.models import DayRun, DayRunState, Rule, Schedule

# Of a size that no person needs to look at, however quiet the days before were.
FEW_MAILS, FEW_INVOICES = 20, 100
RUNS_REMEMBERED = 30


def why_to_hold(run: DayRun, schedule: Schedule, rules: Sequence[Rule], found: Found) -> str:
    """Return a sentence about what is odd in the run that was matched in this transaction; empty if nothing is."""
    if not found.mail_count:
        return ""
    past = DayRun.objects.filter(merchant=run.merchant, state__in=[DayRunState.SENT, DayRunState.RELEASED])
    sizes = past.filter(mail_count__gt=0).order_by("-day").values("mail_count", "invoice_count")[:RUNS_REMEMBERED]
    usual = sizes.aggregate(mails=Avg("mail_count", default=0), invoices=Avg("invoice_count", default=0))
    if found.mail_count > max(FEW_MAILS, schedule.brake_factor * usual["mails"]):
        return f"It has {found.mail_count:,} mails; usual are {round(usual['mails']):,} a run."
    most_invoices = max(FEW_INVOICES, schedule.brake_factor * usual["invoices"])
    if found.invoice_count > most_invoices:
        return f"It has {found.invoice_count:,} invoices; usual are {round(usual['invoices']):,} a run."
    return _too_old(run, rules, past) or _arrived_overdue(run, most_invoices)


def _too_old(run: DayRun, rules: Sequence[Rule], past: QuerySet[DayRun]) -> str:
    """Compare ages, and look at invoices that nobody was reminded of: one that is known grows older every day."""
    due_on = _first(OLDEST_NEW, {})
    if due_on is None:
        return ""
    age = ExpressionWrapper(F("day") - F("oldest_due_on"), output_field=DurationField())
    oldest = past.aggregate(age=Max(age))["age"]
    named = max((most_days_late(rule.conditions) for rule in rules), default=0)
    known = max(named, oldest.days if oldest else 0)
    late = (run.step_days[0] - due_on).days
    if late <= known:
        return ""
    return f"An invoice was due on {_in_words(due_on)}: older than any that rules sent before."


def _arrived_overdue(run: DayRun, most: float) -> str:
    """Find a day on which many invoices came that were overdue already, and no run was released since."""
    released = DayRun.objects.filter(merchant=run.merchant_id, state=DayRunState.RELEASED)
    since: datetime | None = released.aggregate(at=Max("decided_at"))["at"]
    values: dict[str, Any] = {"merchant": run.merchant_id, "zone": run.merchant.time_zone, "since": since}
    with connection.cursor() as cursor:
        cursor.execute(ARRIVED, values)
        found = cursor.fetchone()
    if found is None or found[1] <= most:
        return ""
    day, count = found
    return f"{count:,} invoices came into the books on {_in_words(day)} that were overdue already; it has some of them."


def _first(statement: str, values: dict[str, Any]) -> date | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: date | None = cursor.fetchone()[0]
    return found


def _in_words(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


CHOSEN = """
    FROM matched
    JOIN considered USING (customer_id, currency)
    JOIN invoices_invoice AS invoice ON invoice.id = matched.invoice_id
    WHERE considered.left_out IS NULL AND matched.blocked IS NULL
"""
OLDEST_NEW = f"""
SELECT min(invoice.due_on) {CHOSEN} AND invoice.last_reminded_at IS NULL AND NOT EXISTS (
    SELECT FROM reminders_step AS step WHERE step.invoice_id = invoice.id AND step.state = 'sent'
)
"""  # noqa: S608
ARRIVED = f"""
WITH arrived AS (
    SELECT DISTINCT (invoice.created_at AT TIME ZONE %(zone)s)::date AS day {CHOSEN}
        AND invoice.due_on < (invoice.created_at AT TIME ZONE %(zone)s)::date
        AND (%(since)s::timestamptz IS NULL OR invoice.created_at > %(since)s)
)
SELECT arrived.day, count(*)
FROM arrived
JOIN invoices_invoice AS invoice ON invoice.merchant_id = %(merchant)s AND invoice.due_on < arrived.day
    AND invoice.status <> 'draft' AND (invoice.created_at AT TIME ZONE %(zone)s)::date = arrived.day
GROUP BY arrived.day ORDER BY count(*) DESC LIMIT 1
"""  # noqa: S608
