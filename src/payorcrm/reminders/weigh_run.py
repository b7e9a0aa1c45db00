"""Says what hangs on a run that waits for a person: by rule, and by the customers who owe most of it."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from payorcrm.core.money import Money
from payorcrm.reminders.models import DayRun

CUSTOMERS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Weight:
    """What one rule or one customer has in the run; `owed` is what is owed today, in each currency."""

    id: UUID
    name: str
    customer_count: int
    invoice_count: int
    owed: list[Money]


def weigh_by_rule(run: DayRun) -> list[Weight]:
    """Return what waits by rule, in their order."""
    return _weigh(BY_RULE, {"run": run.id})


def weigh_by_customer(run: DayRun) -> list[Weight]:
    """Return the customers with the most invoices that wait."""
    return _weigh(BY_CUSTOMER, {"run": run.id, "most": CUSTOMERS_SHOWN})


def owed_in(run_ids: Collection[UUID]) -> dict[UUID, list[Money]]:
    """Return what is owed today on the invoices that wait in each run, in each currency."""
    with connection.cursor() as cursor:
        cursor.execute(BY_RUN, {"runs": list(run_ids)})
        rows = cursor.fetchall()
    return {key: [Money(int(row[2]), row[1]) for row in group] for key, group in groupby(rows, key=itemgetter(0))}


def _weigh(statement: str, values: dict[str, Any]) -> list[Weight]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    found = []
    for (key, name), group in groupby(rows, key=lambda row: row[:2]):
        same = list(group)
        owed = [Money(int(row[5]), row[2]) for row in same]
        found.append(Weight(key, name, same[0][3], sum(row[4] for row in same), owed))
    return found


WAITING = """
WITH waiting AS (
    SELECT DISTINCT step.rule_id, invoice.id, invoice.customer_id, invoice.currency, invoice.balance
    FROM reminders_step AS step JOIN invoices_invoice AS invoice ON invoice.id = step.invoice_id
    WHERE step.day_run_id = %(run)s AND step.state = 'held'
)
"""
BY_RULE = f"""
{WAITING},
customers AS (SELECT rule_id, count(DISTINCT customer_id) AS number FROM waiting GROUP BY rule_id)
SELECT rule.id, rule.name, currency, customers.number, count(*), sum(balance)
FROM waiting JOIN customers USING (rule_id) JOIN reminders_rule AS rule ON rule.id = rule_id
GROUP BY rule.id, rule.name, rule.position, currency, customers.number ORDER BY rule.position, rule.id, currency
"""  # noqa: S608
BY_CUSTOMER = f"""
{WAITING},
invoices AS (SELECT DISTINCT id, customer_id, currency, balance FROM waiting),
largest AS (
    SELECT customer_id, count(*) AS size FROM invoices
    GROUP BY customer_id ORDER BY count(*) DESC, customer_id LIMIT %(most)s
)
SELECT customer_id, customer.company_name, currency, 1, count(*), sum(balance)
FROM invoices JOIN largest USING (customer_id) JOIN customers_customer AS customer ON customer.id = customer_id
GROUP BY customer_id, customer.company_name, largest.size, currency ORDER BY largest.size DESC, customer_id, currency
"""  # noqa: S608
BY_RUN = """
WITH waiting AS (
    SELECT DISTINCT step.day_run_id, invoice.id, invoice.currency, invoice.balance
    FROM reminders_step AS step JOIN invoices_invoice AS invoice ON invoice.id = step.invoice_id
    WHERE step.day_run_id = ANY(%(runs)s) AND step.state = 'held'
)
SELECT day_run_id, currency, sum(balance) FROM waiting
GROUP BY day_run_id, currency HAVING sum(balance) > 0 ORDER BY day_run_id, currency
"""
