"""Says which conditions of a rule do not hold for an invoice on a day, by what is known today."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.conditions import Tree, compile_parts
from payorcrm.reminders.match import BEGIN, END


def failed_parts(tree: Tree, invoices: Sequence[Invoice], *, day: date, merchant: Merchant) -> dict[UUID, list[Tree]]:
    """Return, for each invoice, those of the conditions of a rule's outermost group that do not hold."""
    parts: list[Tree] = tree.get("all", [tree])
    compiled = compile_parts(parts)
    values: dict[str, Any] = {
        "day": day,
        "invoices": [invoice.id for invoice in invoices],
        "zone": merchant.time_zone,
        "language": merchant.language,
    }
    # The conditions may ask tables that live as long as a transaction.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BEGIN)
        cursor.execute(EVALUATE.format(parts=", ".join(compiled.sql)), values | compiled.values)
        rows = cursor.fetchall()
        cursor.execute(END)
    return {
        invoice_id: [part for part, holds in zip(parts, held, strict=True) if not holds] for invoice_id, held in rows
    }


EVALUATE = """
SELECT invoice.id, ARRAY[{parts}]::boolean[]
FROM (VALUES (%(day)s::date)) AS due (day)
CROSS JOIN invoices_invoice AS invoice
JOIN customers_customer AS customer ON customer.id = invoice.customer_id
LEFT JOIN foreseen_invoice AS foreseen ON foreseen.invoice_id = invoice.id
WHERE invoice.id = ANY(%(invoices)s)
"""
