"""Selects who gets a statement and who is left out, in one statement of SQL for any number of customers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.conditions import Tree
from payorcrm.reminders.select import HELD, READ_FROM, WHERE_TO, WHY_NOT
from payorcrm.statements.conditions import compile_customers
from payorcrm.statements.models import NoStatement, StatementRule

FEW = 50

# One row for each customer whom the conditions fit: where the mail would go, what its buttons would pay in each
# currency, and why no mail goes. An invoice on hold is owed, and stands in the statement, but no button asks for it.
CANDIDATES = f"""
owing AS (
    SELECT customer_id, currency, sum(balance) AS owed, sum(balance - in_flight) AS payable,
        coalesce(array_agg(id) FILTER (WHERE in_flight = 0 AND NOT {HELD}), '{{{{}}}}') AS invoice_ids,
        bool_and({HELD}) AS is_held
    FROM invoices_invoice AS invoice
    WHERE merchant_id = %(merchant)s AND status = 'open'
        AND (%(customers)s::uuid[] IS NULL OR customer_id = ANY(%(customers)s::uuid[]))
    GROUP BY customer_id, currency
),
fitting AS (
    SELECT customer.id AS customer_id, coalesce(sum(account.payable), 0) AS payable,
        coalesce(bool_and(account.is_held), false) OR EXISTS (
            SELECT FROM reminders_hold AS hold
            WHERE hold.customer_id = customer.id AND hold.invoice_id IS NULL
                AND hold.ended_at IS NULL AND coalesce(hold.until, %(today)s) >= %(today)s
        ) AS is_held
    FROM customers_customer AS customer
    LEFT JOIN owing ON owing.customer_id = customer.id
    CROSS JOIN LATERAL (
        SELECT coalesce(owing.currency, %(currency)s) AS currency, owing.payable, owing.is_held
    ) AS account
    WHERE customer.merchant_id = %(merchant)s
        AND (%(customers)s::uuid[] IS NULL OR customer.id = ANY(%(customers)s::uuid[]))
    GROUP BY customer.id
    HAVING bool_or({{conditions}}) AND (%(includes_settled)s OR sum(account.payable) > 0)
),
candidates AS (
    SELECT fitting.customer_id, customer.company_name, {WHERE_TO},
        CASE {WHY_NOT}
            WHEN fitting.is_held THEN 'on_hold'
        END AS left_out
    FROM fitting
    JOIN customers_customer AS customer ON customer.id = fitting.customer_id
    {READ_FROM}
)
"""  # noqa: S608

COUNT = """
SELECT coalesce(left_out, ''), count(*) FROM candidates GROUP BY left_out
"""
SHOW = """
, sums AS (
    SELECT customer_id, array_agg(currency ORDER BY currency) AS currencies,
        array_agg(owed::text ORDER BY currency) AS amounts
    FROM owing GROUP BY customer_id
)
SELECT candidates.customer_id, company_name, coalesce(left_out, ''), currencies, amounts
FROM candidates LEFT JOIN sums USING (customer_id)
ORDER BY left_out IS NOT NULL, lower(company_name), candidates.customer_id LIMIT %(few)s
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One customer as a page names it: what is owed, and why no statement would go."""

    customer_id: UUID
    company_name: str
    left_out: str
    owed: list[Money]


@dataclass(frozen=True, slots=True)
class Recipients:
    """How many customers would get a statement now and how many are left out, and the first of them."""

    mail_count: int
    left_out_count: int
    shown: list[Shown] = field(default_factory=list)


def selection(
    merchant: Merchant,
    *,
    tree: Tree,
    includes_settled: bool,
    now: datetime,
    customers: Sequence[UUID] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return `CANDIDATES` for some conditions, and its parameters."""
    compiled = compile_customers(tree)
    values: dict[str, Any] = {
        "merchant": merchant.id,
        "currency": merchant.currency,
        "language": merchant.language,
        "zone": merchant.time_zone,
        "today": day_in(merchant.time_zone, now),
        "customers": None if customers is None else list(customers),
        "includes_settled": includes_settled,
    }
    return CANDIDATES.format(conditions=compiled.sql), values | compiled.values


def count_recipients(rule: StatementRule, *, now: datetime) -> Recipients:
    """Count who would get a statement of a rule now, whether it is on or not."""
    sql, values = _selection_of(rule, now)
    return _counted(sql, values, [])


def recipients_of(rule: StatementRule, *, now: datetime) -> Recipients:
    """Do the same and name the first by name, those who are left out last."""
    sql, values = _selection_of(rule, now)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {sql} {SHOW}", values | {"few": FEW})
        shown = [_shown(*row) for row in cursor.fetchall()]
    return _counted(sql, values, shown)


def _selection_of(rule: StatementRule, now: datetime) -> tuple[str, dict[str, Any]]:
    return selection(rule.merchant, tree=rule.conditions, includes_settled=rule.includes_settled, now=now)


def _counted(sql: str, values: dict[str, Any], shown: list[Shown]) -> Recipients:
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {sql} {COUNT}", values)
        counts = dict(cursor.fetchall())
    mail_count = counts.pop("", 0)
    return Recipients(mail_count, sum(counts.values()), shown)


def _shown(
    customer_id: UUID, name: str, left_out: str, currencies: list[str] | None, amounts: list[str] | None
) -> Shown:
    owed = [Money(int(amount), currency) for currency, amount in zip(currencies or [], amounts or [], strict=True)]
    return Shown(customer_id, name, NoStatement(left_out).label if left_out else "", owed)
