"""Says what the rules would do about invoices that an import brings, while its transaction still stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.core.time_limit import TookTooLong, at_most
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.brake import past_of, why_to_hold
from payorcrm.reminders.foresee import coming_runs
from payorcrm.reminders.match import match_by, match_values
from payorcrm.reminders.models import DayRun, Rule
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.sending_days import schedule_of, step_days

# Meanwhile the caller's transaction keeps others from issuing invoices and from paying those that would change.
MOST_TIME = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How much of what came is overdue, and how much of it the next run would speak of; `runs_at` where one comes.

    `held_because` says why that run would wait for a person; empty if it would not. Of a book too large for this,
    neither is known.
    """

    overdue_count: int
    overdue: list[Money]
    has_rules: bool
    runs_at: datetime | None = None
    invoice_count: int = 0
    held_because: str = ""
    is_too_large: bool = False


def foresee_import(merchant: Merchant, *, now: datetime) -> Foreseen:
    """Look at the invoices that were made at the moment `now`, in the caller's transaction, which must be undone."""
    values: dict[str, Any] = {"merchant": merchant.id, "now": now, "today": day_in(merchant.time_zone, now)}
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, values)
        sums = cursor.fetchall()
    rules = active_rules(merchant)
    count, overdue = sum(row[1] for row in sums), [Money(int(amount), currency) for currency, _, amount in sums]
    coming = next(coming_runs(merchant, schedule_of(merchant), now), None) if rules else None
    if coming is None:
        return Foreseen(count, overdue, has_rules=bool(rules))
    try:
        with at_most(MOST_TIME):
            taken, held = _next_run(merchant, rules, coming, values)
    except TookTooLong:
        return Foreseen(count, overdue, True, coming[1], is_too_large=True)
    return Foreseen(count, overdue, True, coming[1], taken, held)


def _next_run(
    merchant: Merchant, rules: Sequence[Rule], coming: tuple[date, datetime], values: dict[str, Any]
) -> tuple[int, str]:
    """Return how many of the new invoices a run would speak of, and why it would be held."""
    (day, moment), schedule = coming, schedule_of(merchant)
    days = step_days(schedule, day)
    shared = match_values(merchant, schedule, moment) | {"is_rehearsal": moment > values["now"]}
    found = match_by(shared, rules, days)
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, values)
        (taken,) = cursor.fetchone()
    run = DayRun(merchant=merchant, day=day, step_days=days, started_at=moment)
    held = why_to_hold(run, schedule, rules, found, past_of(merchant)) if taken else ""
    return taken, held


_OVERDUE = """
SELECT currency, count(*), sum(balance) FROM invoices_invoice
WHERE merchant_id = %(merchant)s AND status = 'open' AND due_on < %(today)s AND created_at = %(now)s
GROUP BY currency ORDER BY currency
"""
_TAKEN = """
SELECT count(DISTINCT matched.invoice_id)
FROM matched
JOIN considered USING (customer_id, currency)
JOIN invoices_invoice AS invoice ON invoice.id = matched.invoice_id
WHERE considered.left_out IS NULL AND matched.blocked IS NULL AND invoice.created_at = %(now)s
"""
