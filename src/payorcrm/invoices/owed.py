"""What a customer owes, in each currency, at a cost that does not grow with the number of invoices.

Adding up ten thousand invoices takes longer than all else on a page. The sums are therefore kept in memory, and
trusted only while PostgreSQL knows of no change to the customer's invoices that they do not contain.
"""

from dataclasses import dataclass
from datetime import date
from time import monotonic
from uuid import UUID

from django.db import connection

from payorcrm.core.money import Money

# Triggers note whose invoices a statement changed. Notes are thrown away after a day, sums well before.
_SUMS_KEPT_FOR = 6 * 3600.0
_MOST_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Owed:
    """What a customer owes in one currency. `payable` and `overdue` leave out what payments under way have reserved."""

    balance: Money
    payable: Money
    overdue: Money
    processing: Money
    payable_count: int
    overdue_count: int
    processing_count: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What a customer owes, a line for each currency with an open invoice.

    `version` names the state of the customer's invoices: while it stays the same, so does all that was read of them
    since. It is empty inside of a transaction, whose own changes may never come true.
    """

    lines: tuple[Owed, ...]
    version: str


@dataclass(frozen=True, slots=True)
class _Kept:
    today: date
    until: float
    snapshot: str
    last_note: int
    sums: Sums


_kept: dict[UUID, _Kept] = {}


def owed_by(customer_id: UUID, *, today: date) -> Sums:
    """Return what a customer owes; `today` is the merchant's."""
    kept = _kept.get(customer_id)
    if kept and kept.today == today and monotonic() < kept.until and _is_still_right(customer_id, kept):
        return kept.sums
    added_up = _add_up(customer_id, today)
    if added_up.sums.version:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[customer_id] = added_up
    return added_up.sums


def forget_notes() -> int:
    """Throw away notes of changes that no kept sum is compared with any more; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM invoices_change WHERE at < now() - interval '1 day'")
        return cursor.rowcount


def _is_still_right(customer_id: UUID, kept: _Kept) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_UNSEEN_CHANGE, [customer_id, kept.last_note, kept.snapshot])
        return cursor.fetchone() is None


# A change that was under way when the sums were made has a smaller id than later ones and is not in their snapshot.
_UNSEEN_CHANGE = """
SELECT 1 FROM invoices_change
 WHERE customer_id = %s AND (id > %s OR NOT pg_visible_in_snapshot(xid, %s::pg_snapshot)) LIMIT 1
"""


def _add_up(customer_id: UUID, today: date) -> _Kept:
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"customer": customer_id, "today": today})
        rows = cursor.fetchall()
    snapshot, last_note = str(rows[0][0]), rows[0][1]
    lines = tuple(_owed(currency, amounts, counts) for _, _, currency, amounts, counts in rows if currency)
    version = "" if connection.in_atomic_block else f"{snapshot}/{last_note}"
    return _Kept(today, monotonic() + _SUMS_KEPT_FOR, snapshot, last_note, Sums(lines, version))


def _owed(currency: str, amounts: list[int], counts: list[int]) -> Owed:
    balance, payable, overdue, processing = (Money(int(amount), currency) for amount in amounts)
    return Owed(balance, payable, overdue, processing, *counts)


_SUMS = """
SELECT pg_current_snapshot()::text,
       (SELECT coalesce(max(id), 0) FROM invoices_change WHERE customer_id = %(customer)s),
       sums.currency, sums.amounts, sums.counts
  FROM (VALUES (1)) AS one (row) LEFT JOIN (
    SELECT currency,
           ARRAY[sum(balance), sum(balance - in_flight),
                 coalesce(sum(balance - in_flight) FILTER (WHERE due_on < %(today)s), 0), sum(in_flight)] AS amounts,
           ARRAY[count(*) FILTER (WHERE in_flight < balance),
                 count(*) FILTER (WHERE in_flight < balance AND due_on < %(today)s),
                 count(*) FILTER (WHERE in_flight > 0)] AS counts
      FROM invoices_invoice WHERE customer_id = %(customer)s AND status = 'open' GROUP BY currency
  ) AS sums ON true
 ORDER BY sums.currency
"""
