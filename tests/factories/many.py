"""Rows by the thousand, in one statement."""

from uuid import UUID

from django.db import connection

from payorcrm.customers.models import Customer
from tests.factories.models import TODAY


def owe_alike(customer: Customer, count: int) -> list[UUID]:
    """Make invoices of $120.00 that are alike but for their numbers, without ledger entries; return their ids."""
    with connection.cursor() as cursor:
        cursor.execute(_ALIKE, [customer.merchant_id, customer.id, TODAY, TODAY, count])
        return [row[0] for row in cursor.fetchall()]


_ALIKE = """
INSERT INTO invoices_invoice (id, merchant_id, customer_id, number, status, issued_on, due_on, currency, total, balance,
       in_flight, created_at)
SELECT gen_random_uuid(), %s, %s, 'MANY-' || n, 'open', %s::date - 60, %s::date - 30, 'USD', 12000, 12000, 0, now()
  FROM generate_series(1, %s) n RETURNING id
"""
