"""Selects whom to remind of what, in one statement; says who is left out and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import LeftOut

__all__ = ["LeftOut", "LeftOutCustomers", "OverdueSummary", "overdue_summary", "selection"]

# A second press of a button within this time sends nothing again.
JUST_NOW = timedelta(minutes=2)
NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class LeftOutCustomers:
    """Customers that get no mail for one reason; `names` are the first few."""

    reason: LeftOut
    customer_count: int
    invoice_count: int
    names: list[str]


@dataclass(frozen=True, slots=True)
class OverdueSummary:
    """What a reminder run would send now; the mark tells it from a run to anybody else, or about other invoices."""

    mark: str
    mail_count: int
    customer_count: int
    invoice_count: int
    totals: list[Money]
    left_out: list[LeftOutCustomers]
    overdue_count: int  # customers that a mail goes to in some currency, or that are left out of all


def overdue_summary(
    merchant: Merchant,
    now: datetime,
    min_days_overdue: int = 1,
    customer_ids: Sequence[UUID] | None = None,
    invoice_ids: Sequence[UUID] | None = None,
) -> OverdueSummary:
    """Count what `send_reminders` would send, per currency, and who would be left out."""
    values = selection(
        merchant, now=now, min_days_overdue=min_days_overdue, customer_ids=customer_ids, invoice_ids=invoice_ids
    )
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {CANDIDATES} {SUMMARY}", values)
        rows = cursor.fetchall()
    chosen = [row for row in rows if row[0] is None]
    customer_count, overdue_count = _count_customers(values, rows)
    return OverdueSummary(
        mark=str(sum(int(row[6]) for row in chosen)),
        mail_count=sum(row[2] for row in chosen),
        customer_count=customer_count,
        invoice_count=sum(row[3] for row in chosen),
        totals=[Money(int(row[4]), row[1]) for row in chosen],
        left_out=_left_out(rows),
        overdue_count=overdue_count,
    )


def selection(
    merchant: Merchant,
    *,
    now: datetime,
    min_days_overdue: int,
    customer_ids: Sequence[UUID] | None,
    invoice_ids: Sequence[UUID] | None = None,
    is_rehearsal: bool = False,
) -> dict[str, Any]:
    """Return the parameters of `CANDIDATES`; a rehearsal does not mind reminders under way."""
    today = day_in(merchant.time_zone, now)
    return {
        "merchant": merchant.id,
        "today": today,
        "latest_due": today - timedelta(days=max(1, min_days_overdue)),
        "customers": None if customer_ids is None else list(customer_ids),
        "invoices": None if invoice_ids is None else list(invoice_ids),
        "just_now": now - JUST_NOW,
        "is_rehearsal": is_rehearsal,
    }


_HOLDS = """FROM reminders_hold AS hold
    WHERE hold.customer_id = invoice.customer_id AND coalesce(hold.invoice_id, invoice.id) = invoice.id
        AND hold.ended_at IS NULL"""
# Whether an invoice may be mailed about: neither it nor its customer is on hold.
HELD = f"EXISTS (SELECT {_HOLDS} AND coalesce(hold.until, %(today)s) >= %(today)s)"
# The last day on which it may not be; null without a hold.
HELD_UNTIL = f"(SELECT max(coalesce(hold.until, 'infinity')) {_HOLDS})"

# One row for each customer and currency with overdue invoices that no payment under way has reserved.
OVERDUE = f"""
overdue AS (
    SELECT customer_id, currency,
        coalesce(array_agg(id) FILTER (WHERE NOT {HELD}), array_agg(id)) AS invoice_ids,
        coalesce(sum(balance) FILTER (WHERE NOT {HELD}), sum(balance)) AS amount,
        coalesce(sum(uuid_hash_extended(id, 0)) FILTER (WHERE NOT {HELD}), 0) AS mark,
        bool_and({HELD}) AS is_held
    FROM invoices_invoice AS invoice
    WHERE merchant_id = %(merchant)s AND status = 'open' AND due_on <= %(latest_due)s AND in_flight = 0
        AND (%(customers)s::uuid[] IS NULL OR customer_id = ANY(%(customers)s::uuid[]))
        AND (%(invoices)s::uuid[] IS NULL OR id = ANY(%(invoices)s::uuid[]))
    GROUP BY customer_id, currency
),
"""  # noqa: S608
# Of a `customer`: where a mail would go, why none goes whatever it is about, and what both are read from.
WHERE_TO = """
coalesce(directed."to"[1], contact.email) AS email,
CASE WHEN coalesce(directed."to"[1], contact.email) = contact.email
    THEN left(trim(contact.first_name || ' ' || contact.last_name), 200) ELSE '' END AS contact_name,
coalesce(directed."to"[2:], ARRAY[]::varchar[]) AS also_to, coalesce(directed.cc, ARRAY[]::varchar[]) AS cc
"""
WHY_NOT = """
WHEN coalesce(directed."to"[1], contact.email, '') = '' THEN 'no_address'
WHEN suppression.id IS NOT NULL THEN 'suppressed'
WHEN customer.unsubscribed_at IS NOT NULL OR NOT coalesce(directed.is_wanted, true) THEN 'unsubscribed'
WHEN NOT customer.is_reminded THEN 'not_reminded'
"""
READ_FROM = """
LEFT JOIN customers_contact AS contact ON contact.customer_id = customer.id AND contact.is_primary
LEFT JOIN customers_notification AS directed ON directed.customer_id = customer.id AND directed.topic = 'reminders'
LEFT JOIN mail_suppression AS suppression ON suppression.merchant_id = %(merchant)s
    AND suppression.address = lower(coalesce(directed."to"[1], contact.email)) AND suppression.lifted_at IS NULL
"""
# Adds that to `overdue`.
DIRECTED = f"""
under_way AS (
    SELECT DISTINCT reminder.customer_id, request.currency
    FROM reminders_reminderrun AS run
    JOIN reminders_reminder AS reminder ON reminder.run_id = run.id
    JOIN payments_paymentrequest AS request ON request.id = reminder.request_id
    JOIN mail_mail AS mail ON mail.id = reminder.mail_id
    WHERE run.merchant_id = %(merchant)s AND run.to_address = '' AND NOT %(is_rehearsal)s AND (
        mail.state IN ('queued', 'sending', 'deferred') OR (mail.state = 'sent' AND mail.queued_at > %(just_now)s)
    )
),
candidates AS (
    SELECT overdue.*, customer.company_name, {WHERE_TO},
        CASE {WHY_NOT}
            WHEN overdue.is_held THEN 'on_hold'
            WHEN under_way.customer_id IS NOT NULL THEN 'under_way'
        END AS left_out
    FROM overdue
    JOIN customers_customer AS customer ON customer.id = overdue.customer_id
    {READ_FROM}
    LEFT JOIN under_way ON under_way.customer_id = overdue.customer_id AND under_way.currency = overdue.currency
)
"""  # noqa: S608

CANDIDATES = OVERDUE + DIRECTED

SUMMARY = f"""
SELECT left_out, currency, count(*), sum(cardinality(invoice_ids)), sum(amount),
    (array_agg(company_name ORDER BY lower(company_name)))[1:{NAMES_SHOWN}], sum(mark)
FROM candidates GROUP BY left_out, currency ORDER BY left_out, currency
"""  # noqa: S608
COUNT_CUSTOMERS = f"""
WITH {CANDIDATES} SELECT count(DISTINCT customer_id) FILTER (WHERE left_out IS NULL), count(DISTINCT customer_id)
FROM candidates
"""  # noqa: S608


def _count_customers(values: dict[str, Any], rows: Sequence[tuple[Any, ...]]) -> tuple[int, int]:
    """Return how many customers get a mail, and how many are overdue at all; of several currencies, each once."""
    if len({row[1] for row in rows}) < 2:
        return sum(row[2] for row in rows if row[0] is None), sum(row[2] for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_CUSTOMERS, values)
        mailed, overdue = cursor.fetchone()
    return int(mailed), int(overdue)


def _left_out(rows: list[tuple[Any, ...]]) -> list[LeftOutCustomers]:
    found = []
    for reason in LeftOut:
        same = [row for row in rows if row[0] == reason]
        if same:
            names = sorted({name for row in same for name in row[5]}, key=str.lower)[:NAMES_SHOWN]
            found.append(LeftOutCustomers(reason, sum(row[2] for row in same), sum(row[3] for row in same), names))
    return found
