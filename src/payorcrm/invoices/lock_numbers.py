"""Keeps others from using invoice numbers of a merchant while an import decides which of them are new."""

from uuid import UUID

from django.db import connection


def lock_numbers_for_import(merchant_id: UUID) -> None:
    """Wait for other imports and for invoices being issued, and hold both back until the transaction ends."""
    _lock("pg_advisory_xact_lock", merchant_id)


def lock_numbers_for_issue(merchant_id: UUID) -> None:
    """Wait for an import that is under way; invoices are issued beside each other."""
    _lock("pg_advisory_xact_lock_shared", merchant_id)


def _lock(function: str, merchant_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"invoice numbers of {merchant_id}"])
