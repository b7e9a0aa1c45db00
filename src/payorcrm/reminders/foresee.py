"""Foresees, in tables of the transaction, what the runs of the next thirty days will send if nobody pays meanwhile.

Conditions are asked once for all of these days; a day then only looks at what is due on it, and at whom the days before
mailed. What reminders change themselves, such as when an invoice was last mailed about, is asked day by day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.backends.utils import CursorWrapper

from payorcrm.merchants.models import Merchant
from payorcrm.reminders.brake import Past, past_of, why_to_hold
from payorcrm.reminders.conditions import Compiled, compile_changing, compile_lasting
from payorcrm.reminders.known_conditions import TIMES_MAILED
from payorcrm.reminders.match import (
    BEGIN,
    COUNT,
    REMINDED,
    STEPS_TO_FREE,
    freed_since,
    match_values,
)
from payorcrm.reminders.match import END as END_MATCH
from payorcrm.reminders.models import DayRun, Found, Rule, Schedule
from payorcrm.reminders.select import DIRECTED, HELD_UNTIL
from payorcrm.reminders.sending_days import run_day, schedule_of, sending_days, step_days

DAYS = 30
FEW_MAILS = 2000
BITS = 63  # of a bigint, without its sign


@dataclass(frozen=True, slots=True)
class ForeseenRun:
    """What one run will send, and why it will wait for a person; `sent_on` is the day that its mails go out."""

    sent_on: date
    found: Found
    held_because: str


@dataclass(frozen=True, slots=True)
class _Coming:
    """A run that is still to come: its day, when it runs, and the days whose steps it sends."""

    day: date
    moment: datetime
    step_days: list[date]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all statements of a rehearsal need: rules from the lowest to the highest, and the runs to come."""

    merchant: Merchant
    schedule: Schedule
    rules: list[Rule]
    runs: list[_Coming]
    customer_id: UUID | None

    @property
    def first(self) -> date:
        """The first day whose steps any of the runs sends; a bit of a mask is the number of days since then."""
        # No calendar that is known keeps anybody from sending for a month, and a mask has its end.
        return max(self.runs[0].step_days[0], self.runs[-1].day - timedelta(days=BITS - 1))

    def days(self) -> list[date]:
        """Return all days whose steps the runs send."""
        return [self.first + timedelta(days=each) for each in range((self.runs[-1].day - self.first).days + 1)]

    def mask(self, days: Sequence[date]) -> int:
        """Return days as the bits of a number."""
        return sum(1 << (day - self.first).days for day in days if day >= self.first)

    def values(self, run: _Coming) -> dict[str, Any]:
        """Return the parameters of the statements about one run."""
        # What is under way now has arrived by a later day.
        more: dict[str, Any] = {"customer": self.customer_id, "first": self.first}
        more["is_rehearsal"] = run is not self.runs[0]
        more |= {"window": self.mask(run.step_days), "day": run.day, "rules": [rule.id for rule in self.rules]}
        return match_values(self.merchant, self.schedule, run.moment) | more


def foresee(
    merchant: Merchant, rules: Sequence[Rule], *, now: datetime, customer_id: UUID | None = None
) -> list[ForeseenRun]:
    """Fill `foreseen_mail` of this transaction; drop the tables by `END` when it is read.

    Whether a run will wait for a person is asked about all customers only.
    """
    schedule = schedule_of(merchant)
    runs = [_Coming(day, moment, step_days(schedule, day)) for day, moment in coming_runs(merchant, schedule, now)]
    plan = _Plan(merchant, schedule, sorted(rules, key=lambda each: each.position), runs, customer_id)
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        cursor.execute(BEGIN_TO_FORESEE)
        if not rules or not runs:
            return []
        changing = _look_ahead(cursor, plan, now)
        past, foreseen = past_of(merchant), []
        for run in runs:
            found, held_because = _foresee_run(cursor, plan, run, changing, past)
            past = past.and_then(run.day, found, released_at=run.moment if held_because else None)
            foreseen.append(
                ForeseenRun(run.moment.astimezone(ZoneInfo(merchant.time_zone)).date(), found, held_because)
            )
    return foreseen


def coming_runs(merchant: Merchant, schedule: Schedule, now: datetime) -> Iterator[tuple[date, datetime]]:
    """Yield the days whose runs are still to come, and when each one runs: a run that is late runs now."""
    zone = ZoneInfo(merchant.time_zone)
    today = now.astimezone(zone).date()
    done = set(
        DayRun.objects.filter(merchant=merchant, day__gte=today - timedelta(days=1)).values_list("day", flat=True)
    )
    late = run_day(schedule, merchant.time_zone, now)
    if late and late not in done:
        yield late, now
    is_sending_day = sending_days(schedule)
    for ahead in range(DAYS + 1):
        day = today + timedelta(days=ahead)
        moment = datetime.combine(day, schedule.send_at, zone)
        if moment > now and day not in done and is_sending_day(day):
            yield day, moment


def _look_ahead(cursor: CursorWrapper, plan: _Plan, now: datetime) -> dict[int, Compiled]:
    """Find all that may come due; return the conditions that are to be asked day by day, by the place of their rule."""
    first = plan.runs[0]
    values = plan.values(first) | {"is_rehearsal": first.moment > now, "last": plan.runs[-1].day}
    cursor.execute(LOOK_AHEAD, values | {"freed_since": freed_since(plan.schedule, values["today"])})
    changing = {}
    for place, rule in enumerate(plan.rules):
        asked = compile_changing(rule.conditions, times_mailed="coming.times_mailed")
        if asked:
            changing[place] = asked
        compiled = compile_lasting(rule.conditions)
        since = rule.active_since if rule.is_active else None
        days = [day for day in plan.days() if since is None or day >= since]
        names = {"rule": rule.id, "position": place, "changes": place in changing, "days": days}
        times = TIMES_MAILED if asked and "times_mailed" in asked.sql else "0"
        statement = COMING.format(conditions=compiled.sql, times=times)
        cursor.execute(statement, values | compiled.values | names)
    cursor.execute("ANALYZE coming")
    return changing


def _foresee_run(
    cursor: CursorWrapper, plan: _Plan, run: _Coming, changing: dict[int, Compiled], past: Past
) -> tuple[Found, str]:
    values = plan.values(run)
    cursor.execute(DUE, values)
    for place, asked in changing.items():
        names = {"position": place, "days": [day for day in run.step_days if day >= plan.first]}
        cursor.execute(DUE_BY_REMINDERS.format(conditions=asked.sql), values | asked.values | names)
    cursor.execute(GATHER, values)
    cursor.execute(COUNT)
    found = Found(*cursor.fetchone())
    held_because = ""
    if found.mail_count < FEW_MAILS:
        # So that PostgreSQL does not read all invoices because of these.
        cursor.execute("ANALYZE matched, considered")
    if plan.customer_id is None:
        today = DayRun(merchant=plan.merchant, day=run.day, step_days=run.step_days, started_at=plan.runs[0].moment)
        held_because = why_to_hold(today, plan.schedule, plan.rules, found, past)
    cursor.execute(REMEMBER, values)
    if changing:
        cursor.execute(REMEMBER_INVOICES, values)
    return found, held_because


BEGIN_TO_FORESEE = """
TRUNCATE foreseen_invoice, foreseen_mail;
CREATE TEMPORARY TABLE coming (
    rule_id uuid, position int, changes boolean, invoice_id uuid, customer_id uuid, currency text, due_on date,
    balance bigint, free_from date, due bigint, times_mailed int
) ON COMMIT DROP;
CREATE TEMPORARY TABLE addressee (
    customer_id uuid, currency text, is_under_way boolean, last_on date, told_on date, told_until date
) ON COMMIT DROP;
CREATE TEMPORARY TABLE done_step (rule_id uuid, invoice_id uuid, days bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE foreseeable (LIKE invoices_invoice) ON COMMIT DROP;
ALTER TABLE foreseeable ADD came_on date, ADD free_from date, ADD PRIMARY KEY (id);
"""
END = f"{END_MATCH}, coming, addressee, done_step, foreseeable"

# Whom mails may reach at all, the day of the last one; what is owed and may be mailed about some day; what is done.
LOOK_AHEAD = f"""
INSERT INTO addressee
WITH overdue AS (
    SELECT customer_id, currency, false AS is_held
    FROM invoices_invoice
    WHERE merchant_id = %(merchant)s AND status = 'open' AND in_flight = 0
        AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s)
    GROUP BY customer_id, currency
),
{DIRECTED},
reminded AS (SELECT customer_id, max(day) AS day FROM ({REMINDED}) AS known GROUP BY customer_id)
SELECT candidates.customer_id, currency, left_out IS NOT NULL, reminded.day
FROM candidates LEFT JOIN reminded ON reminded.customer_id = candidates.customer_id
WHERE left_out IS NULL OR left_out = 'under_way';
ANALYZE addressee;
INSERT INTO foreseeable
SELECT invoice.*, (invoice.created_at AT TIME ZONE %(zone)s)::date, coalesce({HELD_UNTIL} + 1, '-infinity')
FROM invoices_invoice AS invoice
JOIN addressee ON addressee.customer_id = invoice.customer_id AND addressee.currency = invoice.currency
WHERE invoice.merchant_id = %(merchant)s AND invoice.status = 'open' AND invoice.in_flight = 0
    AND (%(customer)s::uuid IS NULL OR invoice.customer_id = %(customer)s);
ANALYZE foreseeable;
INSERT INTO done_step
SELECT step.rule_id, step.invoice_id, bit_or(1::bigint << (step.day - %(first)s::date))
FROM reminders_dayrun AS run JOIN reminders_step AS step ON step.day_run_id = run.id
WHERE run.merchant_id = %(merchant)s AND run.day >= %(first)s AND step.day BETWEEN %(first)s AND %(last)s
    AND step.id NOT IN ({STEPS_TO_FREE.replace("%(since)s", "%(freed_since)s")})
GROUP BY step.rule_id, step.invoice_id;
ANALYZE done_step;
"""  # noqa: S608
# What did not exist on a day was not due on it, so that a file of old invoices causes no old steps.
COMING = """
INSERT INTO coming
SELECT %(rule)s::uuid, %(position)s::int, %(changes)s::boolean, invoice.id, invoice.customer_id, invoice.currency,
    invoice.due_on, invoice.balance, invoice.free_from, found.days & ~coalesce(done.days, 0), {times}
FROM (
    SELECT invoice.id, bit_or(1::bigint << (due.day - %(first)s::date)) AS days
    FROM unnest(%(days)s::date[]) AS due (day)
    CROSS JOIN foreseeable AS invoice
    JOIN customers_customer AS customer ON customer.id = invoice.customer_id
    WHERE {conditions} AND invoice.came_on <= due.day
    GROUP BY invoice.id
) AS found
JOIN foreseeable AS invoice ON invoice.id = found.id
LEFT JOIN done_step AS done ON done.invoice_id = invoice.id AND done.rule_id = %(rule)s
WHERE found.days & ~coalesce(done.days, 0) <> 0
"""
_MAY_BE_MAILED = """
coming.free_from <= %(today)s AND coalesce(addressee.last_on <= %(today)s - %(min_days)s::int, true)
    AND (%(is_rehearsal)s OR NOT addressee.is_under_way)
"""
# A mail does all steps until its day of the invoices that it may be about.
DUE = f"""
TRUNCATE matched, considered;
INSERT INTO matched
SELECT rule_id, position, invoice_id, coming.customer_id, coming.currency, NULL, due_on, balance
FROM coming JOIN addressee ON addressee.customer_id = coming.customer_id AND addressee.currency = coming.currency
WHERE NOT changes AND {_MAY_BE_MAILED} AND (
    coming.due & %(window)s & CASE
        WHEN addressee.told_on >= coming.free_from THEN -1::bigint << (addressee.told_until - %(first)s::date + 1)
        ELSE -1
    END
) <> 0
"""  # noqa: S608
DUE_BY_REMINDERS = f"""
INSERT INTO matched
SELECT coming.rule_id, position, invoice.id, coming.customer_id, coming.currency, due.day, coming.due_on, coming.balance
FROM coming
JOIN addressee ON addressee.customer_id = coming.customer_id AND addressee.currency = coming.currency
JOIN foreseeable AS invoice ON invoice.id = coming.invoice_id
JOIN customers_customer AS customer ON customer.id = coming.customer_id
LEFT JOIN foreseen_invoice AS foreseen ON foreseen.invoice_id = invoice.id
CROSS JOIN unnest(%(days)s::date[]) AS due (day)
WHERE coming.position = %(position)s AND {_MAY_BE_MAILED}
    AND coming.due & %(window)s & (1::bigint << (due.day - %(first)s::date)) <> 0 AND {{conditions}}
"""  # noqa: S608
GATHER = """
INSERT INTO considered (rule_id, customer_id, currency, invoice_ids, oldest_due_on, amount)
SELECT (%(rules)s::uuid[])[max(position) + 1], customer_id, currency, array_agg(invoice_id), min(due_on), sum(balance)
FROM (
    SELECT customer_id, currency, invoice_id, max(position) AS position, min(due_on) AS due_on, min(balance) AS balance
    FROM matched GROUP BY customer_id, currency, invoice_id
) AS named
GROUP BY customer_id, currency
"""
REMEMBER = """
INSERT INTO foreseen_mail SELECT %(today)s, rule_id, customer_id, currency, invoice_ids, amount FROM considered;
UPDATE addressee SET last_on = %(today)s,
    told_on = CASE WHEN currency = ANY(told.currencies) THEN %(today)s ELSE told_on END,
    told_until = CASE WHEN currency = ANY(told.currencies) THEN %(day)s ELSE told_until END
FROM (SELECT customer_id, array_agg(currency) AS currencies FROM considered GROUP BY customer_id) AS told
WHERE told.customer_id = addressee.customer_id
"""
REMEMBER_INVOICES = """
UPDATE coming SET due = due & ~done.days
FROM (
    SELECT position, invoice_id, bit_or(1::bigint << (day - %(first)s::date)) AS days
    FROM matched WHERE day IS NOT NULL GROUP BY position, invoice_id
) AS done
WHERE changes AND coming.position = done.position AND coming.invoice_id = done.invoice_id;
INSERT INTO foreseen_invoice SELECT unnest(invoice_ids), %(today)s, 1 FROM considered
ON CONFLICT (invoice_id) DO UPDATE SET sent_on = excluded.sent_on, times = foreseen_invoice.times + 1
"""
