"""Writes down what becomes of the steps that a run has matched: mails, what waits, what is left out and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from payorcrm.core.ids import uuid7_start
from payorcrm.mail.jobs import deliver_soon
from payorcrm.reminders.mails import KIND
from payorcrm.reminders.match import STEPS_TO_SEND
from payorcrm.reminders.models import DayRun, ReminderRun, Rule
from payorcrm.reminders.send import NEW_IDS, WRITE


def send_matched(run: DayRun, rules: Sequence[Rule], now: datetime) -> None:
    """Queue one mail for each customer and currency of the table `considered`."""
    with connection.cursor() as cursor:
        if run.mail_count:
            _queue_mails(cursor, run, rules, now)
        cursor.execute(OMISSIONS, {"day_run": run.id})
    if run.mail_count:
        deliver_soon()


def _queue_mails(cursor: CursorWrapper, run: DayRun, rules: Sequence[Rule], now: datetime) -> None:
    cursor.execute("SELECT DISTINCT rule_id FROM considered WHERE left_out IS NULL")
    writing = {rule_id for (rule_id,) in cursor.fetchall()}
    ReminderRun.objects.bulk_create(
        ReminderRun(merchant=run.merchant, template=rule.template, rule=rule, day_run=run, started_at=now)
        for rule in rules
        if rule.id in writing
    )
    names: dict[str, Any] = {"merchant": run.merchant_id, "day_run": run.id, "now": now, "uuid7_start": uuid7_start()}
    cursor.execute(SEND, names | {"to_address": "", "kind": KIND, "is_bulk": True})
    cursor.execute(COUNT, {"day_run": run.id})
    cursor.execute(STEPS, {"day_run": run.id, "state": "sent"})


def let_lapse(run: DayRun) -> None:
    """Note what waited with a run and is not due any more now that it is released."""
    with connection.cursor() as cursor:
        cursor.execute(LAPSED, {"day_run": run.id})


def claim_matched(run: DayRun) -> None:
    """Let the steps wait with their run, so that no later run takes them."""
    with connection.cursor() as cursor:
        cursor.execute(STEPS, {"day_run": run.id, "state": "held"})
        cursor.execute(OMISSIONS, {"day_run": run.id})


SEND = f"""
WITH chosen AS MATERIALIZED (
    SELECT considered.*, 0 AS mark, run.id AS run_id, {NEW_IDS}
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
INSERT INTO reminders_step (rule_id, invoice_id, day, day_run_id, state)
SELECT rule_id, invoice_id, day, %(day_run)s, %(state)s FROM ({STEPS_TO_SEND}) AS step
"""  # noqa: S608
OMISSIONS = """
INSERT INTO reminders_omission (day_run_id, customer_id, currency, rule_id, invoice_id, day, reason)
SELECT %(day_run)s, customer_id, currency, matched.rule_id, matched.invoice_id, matched.day,
    coalesce(matched.blocked, considered.left_out)
FROM matched JOIN considered USING (customer_id, currency)
WHERE considered.left_out IS NOT NULL OR matched.blocked IS NOT NULL
ON CONFLICT (day_run_id, invoice_id, rule_id, day) DO UPDATE SET reason = excluded.reason
"""
# What waited with a run and is not due any more when it is released: paid, void, or not what the rules say now.
LAPSED = """
INSERT INTO reminders_step (rule_id, invoice_id, day, day_run_id, state)
SELECT claimed.rule_id, claimed.invoice_id, claimed.day, %(day_run)s, 'lapsed'
FROM claimed WHERE NOT EXISTS (
    SELECT FROM matched WHERE matched.rule_id = claimed.rule_id AND matched.invoice_id = claimed.invoice_id
        AND matched.day = claimed.day
)
"""
