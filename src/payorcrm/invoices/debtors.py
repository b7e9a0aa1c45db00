"""Whose invoices are overdue by most, at a cost that does not grow with the number of invoices.

A job keeps the sum of each customer together with the snapshot that it was made in. A page adds up again whoever
changed since, by the notes of `invoices.owed`, and whose invoices became overdue since; other sums are still right.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.merchants.models import Merchant

# Notes are thrown away after a day; older sums cannot be compared with them.
_TRUSTED_FOR = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Debtor:
    """A customer and what is overdue, less what payments under way have reserved."""

    customer_id: UUID
    company_name: str
    overdue: Money


def top_debtors(merchant_id: UUID, *, currency: str, count: int, now: datetime, today: date) -> list[Debtor]:
    """Return the customers with the largest overdue sums of a currency, the largest first."""
    values: dict[str, Any] = {
        "merchant": merchant_id,
        "currency": currency,
        "count": count,
        "today": today,
        "trusted": now - _TRUSTED_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_DAY, values)
        cursor.execute(_TOP if cursor.fetchone() else _TOP_OF_ALL, values)
        return [Debtor(row[0], row[1], Money(int(row[2]), currency)) for row in cursor.fetchall()]


def keep_all_debtors(*, now: datetime) -> None:
    """Bring the kept sums of every merchant up to date."""
    for merchant in Merchant.objects.only("id", "time_zone"):
        keep_debtors(merchant.id, now=now, today=day_in(merchant.time_zone, now))


def keep_debtors(merchant_id: UUID, *, now: datetime, today: date) -> None:
    """Add up again the customers that changed since the last time, or all when that was long ago."""
    values: dict[str, Any] = {"merchant": merchant_id, "today": today, "now": now, "trusted": now - _TRUSTED_FOR}
    with transaction.atomic(), connection.cursor() as cursor:
        # One at a time: each starts from the snapshot that the one before kept.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('debtors ' || %(merchant)s::text, 0))", values)
        # The first snapshot is what later pages compare with: what commits while this adds up is added up again.
        cursor.execute(f"SELECT pg_current_snapshot()::text, ({_KNOWN_DAY})", values)
        values["snapshot"], known_day = cursor.fetchone()
        if known_day:
            cursor.execute(_CHANGED, values)
            values["customers"] = [row[0] for row in cursor.fetchall()]
        for statement in _KEEP if known_day else _KEEP_ALL:
            cursor.execute(statement, values)


_KNOWN_DAY = """
SELECT day FROM invoices_debtorsum WHERE merchant_id = %(merchant)s AND at > %(trusted)s AND day <= %(today)s
"""
_CHANGED = """
SELECT note.customer_id FROM invoices_debtorsum AS sums JOIN invoices_change AS note
    ON note.xid >= pg_snapshot_xmin(sums.snapshot) AND NOT pg_visible_in_snapshot(note.xid, sums.snapshot)
 WHERE sums.merchant_id = %(merchant)s
UNION
SELECT invoice.customer_id FROM invoices_debtorsum AS sums JOIN invoices_invoice AS invoice
    ON invoice.merchant_id = sums.merchant_id AND invoice.status = 'open'
       AND invoice.due_on >= sums.day AND invoice.due_on < %(today)s
 WHERE sums.merchant_id = %(merchant)s
"""
_OVERDUE = """
SELECT merchant_id, currency, customer_id, sum(balance - in_flight) AS overdue FROM invoices_invoice
 WHERE merchant_id = %(merchant)s AND status = 'open' AND due_on < %(today)s AND in_flight < balance
"""
_TOP_OF_ALL = f"""
SELECT top.customer_id, customer.company_name, top.overdue FROM (
  {_OVERDUE} AND currency = %(currency)s GROUP BY 1, 2, 3 ORDER BY overdue DESC, customer_id LIMIT %(count)s
) AS top JOIN customers_customer AS customer ON customer.id = top.customer_id
ORDER BY top.overdue DESC, top.customer_id
"""  # noqa: S608
_TOP = f"""
WITH changed AS MATERIALIZED ({_CHANGED}),
top AS (
  (SELECT customer_id, overdue FROM invoices_debtor WHERE merchant_id = %(merchant)s AND currency = %(currency)s
      AND customer_id NOT IN (SELECT customer_id FROM changed)
    ORDER BY overdue DESC, customer_id LIMIT %(count)s)
  UNION ALL
  SELECT customer_id, overdue FROM ({_OVERDUE} AND currency = %(currency)s
     AND customer_id IN (SELECT customer_id FROM changed) GROUP BY 1, 2, 3) AS again
)
SELECT top.customer_id, customer.company_name, top.overdue
  FROM (SELECT * FROM top ORDER BY overdue DESC, customer_id LIMIT %(count)s) AS top
  JOIN customers_customer AS customer ON customer.id = top.customer_id
 ORDER BY top.overdue DESC, top.customer_id
"""  # noqa: S608
_INTO = "INSERT INTO invoices_debtor (merchant_id, currency, customer_id, overdue)"
_NOTE = """
INSERT INTO invoices_debtorsum (merchant_id, day, snapshot, at)
VALUES (%(merchant)s, %(today)s, %(snapshot)s::pg_snapshot, %(now)s)
ON CONFLICT (merchant_id) DO UPDATE SET day = excluded.day, snapshot = excluded.snapshot, at = excluded.at
"""
_KEEP = (
    "DELETE FROM invoices_debtor WHERE merchant_id = %(merchant)s AND customer_id = ANY(%(customers)s::uuid[])",
    f"{_INTO} {_OVERDUE} AND customer_id = ANY(%(customers)s::uuid[]) GROUP BY 1, 2, 3",
    _NOTE,
)
_KEEP_ALL = (
    "DELETE FROM invoices_debtor WHERE merchant_id = %(merchant)s",
    f"{_INTO} {_OVERDUE} GROUP BY 1, 2, 3",
    _NOTE,
)
