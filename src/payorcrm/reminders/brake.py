"""Says why a run is odd enough to wait for a person: too large, too old, or full of what an import brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F, Max, Q

from payorcrm.merchants.models import Merchant
from payorcrm.reminders.conditions import most_days_late
from payorcrm.reminders.match import Found
from payorcrm.reminders.models import DayRun, DayRunState, Rule, Schedule

# Of a size that no person needs to look at, however quiet the days before were.
FEW_MAILS, FEW_INVOICES = 20, 100
RUNS_REMEMBERED = 30


@dataclass(frozen=True, slots=True)
class Past:
    """What runs sent before, which says what is usual: how much, the latest first, how old, and what was released."""

    sizes: tuple[tuple[int, int], ...] = ()  # mails and invoices
    oldest_days: int = 0
    released_at: datetime | None = None

    def usual(self) -> tuple[float, float]:
        """Return how many mails and invoices a run has on average."""
        count = len(self.sizes) or 1
        return sum(mails for mails, _ in self.sizes) / count, sum(invoices for _, invoices in self.sizes) / count

    def and_then(self, day: date, found: Found, *, released_at: datetime | None) -> "Past":
        """Return what is past after one more run; `released_at` if a person had to release it."""
        sizes = ((found.mail_count, found.invoice_count), *self.sizes) if found.mail_count else self.sizes
        age = (day - found.oldest_due_on).days if found.oldest_due_on else 0
        return Past(sizes[:RUNS_REMEMBERED], max(self.oldest_days, age), released_at or self.released_at)


def past_of(merchant: Merchant) -> Past:
    """Return what a merchant's runs sent until now."""
    past = DayRun.objects.filter(merchant=merchant, state__in=[DayRunState.SENT, DayRunState.RELEASED])
    sizes = past.filter(mail_count__gt=0).order_by("-day").values_list("mail_count", "invoice_count")
    age = ExpressionWrapper(F("day") - F("oldest_due_on"), output_field=DurationField())
    released = Max("decided_at", filter=Q(state=DayRunState.RELEASED))
    found = past.aggregate(age=Max(age), released_at=released)
    return Past(tuple(sizes[:RUNS_REMEMBERED]), found["age"].days if found["age"] else 0, found["released_at"])


def why_to_hold(run: DayRun, schedule: Schedule, rules: Sequence[Rule], found: Found, past: Past) -> str:
    """Return a sentence about what is odd in the run that was matched in this transaction; empty if nothing is."""
    if not found.mail_count:
        return ""
    usual_mails, usual_invoices = past.usual()
    if found.mail_count > max(FEW_MAILS, schedule.brake_factor * usual_mails):
        return f"It has {found.mail_count:,} mails; {_usual(past, usual_mails)}."
    most_invoices = max(FEW_INVOICES, schedule.brake_factor * usual_invoices)
    if found.invoice_count > most_invoices:
        return f"It has {found.invoice_count:,} invoices; {_usual(past, usual_invoices)}."
    too_old = _too_old(run, rules, found, past)
    # Nothing comes in after a rehearsal began.
    if too_old or (past.released_at and past.released_at >= run.started_at):
        return too_old
    return _arrived_overdue(run, most_invoices, past.released_at)


def _usual(past: Past, number: float) -> str:
    return f"usual are {round(number):,} a run" if past.sizes else "no run before it shows what is usual"


def _too_old(run: DayRun, rules: Sequence[Rule], found: Found, past: Past) -> str:
    """Compare ages, and look at invoices that nobody was reminded of: one that is known grows older every day."""
    known = max([past.oldest_days, *(most_days_late(rule.conditions) for rule in rules)])
    first = run.step_days[0]
    if found.oldest_due_on is None or (first - found.oldest_due_on).days <= known:
        return ""
    due_on = _first(OLDEST_NEW, {})
    if due_on is None or (first - due_on).days <= known:
        return ""
    return f"An invoice was due on {_in_words(due_on)}: older than any that rules sent before."


def _arrived_overdue(run: DayRun, most: float, since: datetime | None) -> str:
    """Find a day on which many invoices came that were overdue already, and no run was released since."""
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
) AND NOT EXISTS (
    SELECT FROM foreseen_mail CROSS JOIN unnest(foreseen_mail.invoice_ids) AS told (id) WHERE told.id = invoice.id
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
