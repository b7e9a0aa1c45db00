"""Marks invoices as reminded once the mail about them is out."""

from datetime import datetime
from uuid import UUID

from django.db import connection


def mark_reminded(mail_ids: list[UUID], now: datetime) -> None:
    """Write the moment beside every invoice of these mails that is still owed; a rehearsal leaves no trace."""
    with connection.cursor() as cursor:
        cursor.execute(MARK, {"mails": mail_ids, "now": now})


# The rows are locked in the order of their ids, as payments lock them.
MARK = """
WITH reminded AS (
    SELECT invoice.id
    FROM reminders_reminder AS reminder
    JOIN reminders_reminderrun AS run ON run.id = reminder.run_id AND run.to_address = ''
    JOIN payments_paymentrequestline AS line ON line.request_id = reminder.request_id
    JOIN invoices_invoice AS invoice ON invoice.id = line.invoice_id
    WHERE reminder.mail_id = ANY(%(mails)s) AND invoice.status = 'open' AND invoice.in_flight = 0
    ORDER BY invoice.id
    FOR NO KEY UPDATE OF invoice
)
UPDATE invoices_invoice AS invoice SET last_reminded_at = %(now)s FROM reminded WHERE invoice.id = reminded.id
"""
