"""Finds what rules match, in one statement a rule, and gathers it by customer and currency."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from payorcrm.core.clock import day_in
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.conditions import compile_tree
from payorcrm.reminders.models import DayRun, Found, Rule, Schedule
from payorcrm.reminders.select import DIRECTED, HELD, JUST_NOW
from payorcrm.reminders.sending_days import step_days

# Lives as long as the transaction, on its connection alone. What is foreseen is what a rehearsal expects of the days
# before (foresee.py); in a run it stays empty.
BEGIN = """
CREATE TEMPORARY TABLE IF NOT EXISTS matched (
    rule_id uuid, position int, invoice_id uuid, customer_id uuid, currency text, day date, due_on date,
    balance bigint, blocked text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE IF NOT EXISTS considered (
    rule_id uuid, customer_id uuid, currency text, invoice_ids uuid[], oldest_due_on date, email text,
    contact_name text, also_to text[], cc text[], left_out text, amount numeric
) ON COMMIT DROP;
CREATE TEMPORARY TABLE IF NOT EXISTS foreseen_invoice (
    invoice_id uuid PRIMARY KEY, sent_on date, times int
) ON COMMIT DROP;
CREATE TEMPORARY TABLE IF NOT EXISTS foreseen_mail (
    sent_on date, rule_id uuid, customer_id uuid, currency text, invoice_ids uuid[], amount numeric
) ON COMMIT DROP;
TRUNCATE matched, considered;
"""

# Needed where more than one set of rules is matched in a transaction.
END = "DROP TABLE matched, considered, foreseen_invoice, foreseen_mail"

# Steps whose mails were withdrawn at the last moment, or did not speak of the invoice then: they are due again.
STEPS_TO_FREE = """
SELECT DISTINCT step.id
FROM reminders_step AS step
JOIN reminders_dayrun AS day_run ON day_run.id = step.day_run_id
JOIN reminders_reminderrun AS run ON run.day_run_id = day_run.id
JOIN reminders_reminder AS reminder ON reminder.run_id = run.id
JOIN mail_mail AS mail ON mail.id = reminder.mail_id
JOIN payments_paymentrequestline AS line ON line.request_id = reminder.request_id AND line.invoice_id = step.invoice_id
WHERE day_run.merchant_id = %(merchant)s AND day_run.day >= %(since)s AND step.state = 'sent'
    AND (mail.state = 'withdrawn' OR (mail.state = 'sent' AND jsonb_exists(reminder.left_out, line.invoice_id::text)))
"""

# What did not exist on a day was not due on it, so that a file of old invoices causes no old steps.
MATCH = """
INSERT INTO matched
SELECT %(rule)s::uuid, %(position)s::int, invoice.id, invoice.customer_id, invoice.currency, due.day, invoice.due_on,
    invoice.balance, CASE WHEN invoice.in_flight > 0 THEN 'processing' WHEN {held} THEN 'on_hold' END
FROM unnest(%(days)s::date[]) AS due (day)
CROSS JOIN invoices_invoice AS invoice
JOIN customers_customer AS customer ON customer.id = invoice.customer_id
LEFT JOIN foreseen_invoice AS foreseen ON foreseen.invoice_id = invoice.id
WHERE {conditions} AND invoice.merchant_id = %(merchant)s AND invoice.status = 'open'
    AND (%(customer)s::uuid IS NULL OR invoice.customer_id = %(customer)s)
    AND (invoice.created_at AT TIME ZONE %(zone)s)::date <= due.day
    AND NOT EXISTS (
        SELECT FROM reminders_step AS step
        WHERE step.invoice_id = invoice.id AND step.rule_id = %(rule)s AND step.day = due.day
    )
"""

# On which days customers were reminded lately. A mail may have waited for its server for days; whoever got it then is
# reminded too soon from that day on.
REMINDED = """
SELECT reminder.customer_id, (mail.queued_at AT TIME ZONE %(zone)s)::date AS day
FROM reminders_reminder AS reminder
JOIN reminders_reminderrun AS run ON run.id = reminder.run_id AND run.to_address = ''
JOIN mail_mail AS mail ON mail.id = reminder.mail_id
WHERE run.merchant_id = %(merchant)s AND run.started_at > %(since)s
    AND mail.state IN ('queued', 'sending', 'deferred', 'sent')
UNION ALL
SELECT reminder.customer_id, (mail.sent_at AT TIME ZONE %(zone)s)::date
FROM mail_mail AS mail
JOIN reminders_reminder AS reminder ON reminder.mail_id = mail.id
JOIN reminders_reminderrun AS run ON run.id = reminder.run_id AND run.to_address = ''
WHERE mail.merchant_id = %(merchant)s AND mail.sent_at > %(since)s AND mail.state = 'sent'
"""
# Where some of a customer's invoices are blocked, the mail is about the others. Why all are: the first by the alphabet.
CONSIDER = f"""
INSERT INTO considered
WITH overdue AS (
    SELECT customer_id, currency, bool_and(blocked IS NOT NULL) AS is_held, min(blocked) AS blocked,
        (array_agg(rule_id ORDER BY blocked IS NOT NULL, position DESC))[1] AS rule_id,
        coalesce(
            array_agg(DISTINCT invoice_id) FILTER (WHERE blocked IS NULL), array_agg(DISTINCT invoice_id)
        ) AS invoice_ids,
        min(due_on) FILTER (WHERE blocked IS NULL) AS oldest_due_on
    FROM matched GROUP BY customer_id, currency
),
{DIRECTED},
reminded AS (
    SELECT customer_id FROM ({REMINDED}) AS known GROUP BY customer_id
    HAVING max(day) > %(today)s - %(min_days)s::int
)
SELECT candidates.rule_id, candidates.customer_id, currency, invoice_ids, oldest_due_on, email, contact_name, also_to,
    cc, CASE
        WHEN left_out = 'on_hold' THEN blocked
        WHEN left_out IS NULL AND reminded.customer_id IS NOT NULL THEN 'too_soon'
        ELSE left_out
    END
FROM candidates LEFT JOIN reminded ON reminded.customer_id = candidates.customer_id
"""  # noqa: S608


# What is done by the mails that are sent.
STEPS_TO_SEND = """
SELECT matched.rule_id, matched.invoice_id, matched.day
FROM matched JOIN considered USING (customer_id, currency)
WHERE considered.left_out IS NULL AND matched.blocked IS NULL
"""


def match_rules(
    rules: Sequence[Rule], *, merchant: Merchant, schedule: Schedule, days: Sequence[date], now: datetime
) -> Found:
    """Fill the tables `matched` and `considered` of this transaction, and count what would be sent."""
    return match_by(match_values(merchant, schedule, now), rules, days)


def match_by(values: dict[str, Any], rules: Sequence[Rule], days: Sequence[date]) -> Found:
    """Do the same with the parameters of all statements."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        _match_each(cursor, rules, days, values)
        return _consider(cursor, values)


def match_claimed(rules: Sequence[Rule], *, run: DayRun, schedule: Schedule, now: datetime) -> Found:
    """Do the same for what a held run keeps waiting, and for nothing else; its claim on these steps ends."""
    values = match_values(run.merchant, schedule, now) | {"day_run": run.id}
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        cursor.execute(END_CLAIM, values)
        cursor.execute("SELECT DISTINCT day FROM claimed ORDER BY day")
        _match_each(cursor, rules, [day for (day,) in cursor.fetchall()], values)
        cursor.execute(ONLY_CLAIMED)
        return _consider(cursor, values)


def _match_each(cursor: CursorWrapper, rules: Sequence[Rule], days: Sequence[date], values: dict[str, Any]) -> None:
    for rule in rules:
        cursor.execute(*match_statement(values, rule, days))


def match_statement(values: dict[str, Any], rule: Rule, days: Sequence[date]) -> tuple[str, dict[str, Any]]:
    """Return the statement that matches one rule with the steps of some days, and its parameters."""
    since = rule.active_since if rule.is_active else None
    due = [day for day in days if since is None or day >= since]
    compiled = compile_tree(rule.conditions)
    names = {"rule": rule.id, "position": rule.position, "days": due}
    return MATCH.format(held=HELD, conditions=compiled.sql), values | compiled.values | names


def _consider(cursor: CursorWrapper, values: dict[str, Any]) -> Found:
    cursor.execute(CONSIDER, values)
    cursor.execute(COUNT)
    return Found(*cursor.fetchone())


END_CLAIM = """
CREATE TEMPORARY TABLE IF NOT EXISTS claimed (rule_id uuid, invoice_id uuid, day date) ON COMMIT DROP;
TRUNCATE claimed;
WITH ended AS (
    DELETE FROM reminders_step WHERE day_run_id = %(day_run)s AND state = 'held' RETURNING rule_id, invoice_id, day
)
INSERT INTO claimed SELECT rule_id, invoice_id, day FROM ended
"""
ONLY_CLAIMED = """
DELETE FROM matched WHERE NOT EXISTS (
    SELECT FROM claimed WHERE claimed.rule_id = matched.rule_id AND claimed.invoice_id = matched.invoice_id
        AND claimed.day = matched.day
)
"""
COUNT = """
SELECT count(*), coalesce(sum(cardinality(invoice_ids)), 0), min(oldest_due_on) FROM considered WHERE left_out IS NULL
"""


def freed_since(schedule: Schedule, day: date) -> date:
    """Return the first day of runs whose steps a run of `day`, or of the day before, may free."""
    return step_days(schedule, day - timedelta(days=1))[0]


def match_values(merchant: Merchant, schedule: Schedule, now: datetime) -> dict[str, Any]:
    """Return the parameters that all statements share."""
    # Runs that began long before cannot have queued a mail within the days that are looked at.
    return {
        "merchant": merchant.id,
        "customer": None,  # every customer
        "zone": merchant.time_zone,
        "language": merchant.language,
        "today": day_in(merchant.time_zone, now),
        "since": now - timedelta(days=schedule.min_days_between + 2),
        "min_days": max(1, schedule.min_days_between),  # a customer hears of the rules once a day at most
        "just_now": now - JUST_NOW,
        "is_rehearsal": False,
    }
