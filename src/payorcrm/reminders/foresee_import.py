"""Says what the rules would do about invoices that an import brings, while its transaction still stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.brake import past_of, why_to_hold
from payorcrm.reminders.foresee import coming_runs
from payorcrm.reminders.match import match_by, match_values
from payorcrm.reminders.models import DayRun
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.sending_days import schedule_of, step_days


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How much of what came is overdue, and how much of it the next run would speak of; `runs_at` where one comes.

    `held_because` says why that run would wait for a person; empty if it would not.
    """

    overdue_count: int
    overdue: list[Money]
    has_rules: bool
    runs_at: datetime | None = None
    invoice_count: int = 0
    held_because: str = ""


def foresee_import(merchant: Merchant, *, now: datetime) -> Foreseen:
    """Look at the invoices that were made at the moment `now`, in the caller's transaction, which must be undone."""
    values: dict[str, Any] = {"merchant": merchant.id, "now": now, "today": day_in(merchant.time_zone, now)}
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, values)
        sums = cursor.fetchall()
    rules, schedule = active_rules(merchant), schedule_of(merchant)
    count, overdue = sum(row[1] for row in sums), [Money(int(amount), currency) for currency, _, amount in sums]
    coming = next(coming_runs(merchant, schedule, now), None) if rules else None
    if coming is None:
        return Foreseen(count, overdue, has_rules=bool(rules))
    day, moment = coming
    days = step_days(schedule, day)
    shared = match_values(merchant, schedule, moment) | {"is_rehearsal": moment > now}
    found = match_by(shared, rules, days)
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, values)
        (taken,) = cursor.fetchone()
    run = DayRun(merchant=merchant, day=day, step_days=days, started_at=moment)
    held = why_to_hold(run, schedule, rules, found, past_of(merchant)) if taken else ""
    return Foreseen(count, overdue, True, moment, taken, held)


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
