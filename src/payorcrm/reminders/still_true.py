"""What the database is asked about a written mail just before it leaves: whether it still says what is so.

A batch is read at once, and a slow mail server takes minutes for it; whoever pays meanwhile must not be reminded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from payorcrm.mail.proviso import Proviso

NOTHING_CHANGED = """
    NOT EXISTS (
        SELECT FROM unnest($7::uuid[], $8::bigint[], $9::bigint[]) AS said (id, balance, in_flight)
        JOIN invoices_invoice AS invoice USING (id)
        WHERE invoice.status <> 'open' OR invoice.balance <> said.balance OR invoice.in_flight <> said.in_flight
    ) AND NOT EXISTS (
        SELECT FROM reminders_hold WHERE customer_id = $10::uuid AND ended_at IS NULL
            AND coalesce(until >= $12::date, true) AND (invoice_id IS NULL OR invoice_id = ANY ($11::uuid[]))
    ) AND NOT EXISTS (
        SELECT FROM customers_customer WHERE id = $10::uuid AND (unsubscribed_at IS NOT NULL OR NOT is_reminded)
    )
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a mail says of one invoice, in minor units."""

    invoice_id: UUID
    balance: int
    in_flight: int = 0


def nothing_changed(customer_id: UUID, said: Sequence[Said], asked: Iterable[UUID], *, today: date) -> Proviso:
    """Return the proviso that each invoice is owed as the mail says, and that no hold stops what it asks for."""
    values = (
        _array(each.invoice_id for each in said),
        _array(each.balance for each in said),
        _array(each.in_flight for each in said),
        str(customer_id),
        _array(asked),
        today.isoformat(),
    )
    return Proviso(NOTHING_CHANGED, values)


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
