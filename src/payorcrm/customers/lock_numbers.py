"""Keeps two from deciding at once which customer numbers of a merchant are new."""

from uuid import UUID

from django.db import connection


def lock_customer_numbers(merchant_id: UUID) -> None:
    """Wait for imports of customers and for customers being added, and hold both back until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"customers of {merchant_id}"])
