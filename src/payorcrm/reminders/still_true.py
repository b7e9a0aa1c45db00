"""What the database is asked about a written mail just before it leaves: whether it still says what is so.

A batch is read at once, and a slow mail server takes minutes for it; whoever pays meanwhile must not be reminded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from payorcrm.customers.models import Topic
from payorcrm.customers.recipients import Recipients
from payorcrm.mail.proviso import Proviso, text_array

NOTHING_CHANGED = """
    NOT EXISTS (
        SELECT FROM unnest($9::uuid[], $10::bigint[], $11::bigint[]) AS said (id, balance, in_flight)
        JOIN invoices_invoice AS invoice USING (id)
        WHERE invoice.status <> 'open' OR invoice.balance <> said.balance OR invoice.in_flight <> said.in_flight
    ) AND NOT EXISTS (
        SELECT FROM reminders_hold WHERE customer_id = $12::uuid AND ended_at IS NULL
            AND coalesce(until >= $14::date, true) AND (invoice_id IS NULL OR invoice_id = ANY ($13::uuid[]))
    ) AND NOT EXISTS (
        SELECT FROM customers_customer AS customer
        LEFT JOIN customers_notification AS chosen ON chosen.customer_id = customer.id AND chosen.topic = $15
        LEFT JOIN customers_contact AS contact ON contact.customer_id = customer.id AND contact.is_primary
        WHERE customer.id = $12::uuid AND (
            customer.unsubscribed_at IS NOT NULL OR NOT customer.is_reminded OR cardinality($16::text[]) > 0 AND (
                NOT coalesce(chosen.is_wanted, true)
                OR coalesce(nullif(chosen."to", '{}'), ARRAY[contact.email])::text[] <> $16::text[]
                OR coalesce(chosen.cc, '{}')::text[] <> $17::text[]
            )
        )
    )
"""
NOBODY = Recipients([], [])


@dataclass(frozen=True, slots=True)
class Said:
    """What a mail says of one invoice, in minor units."""

    invoice_id: UUID
    balance: int
    in_flight: int = 0


def nothing_changed(
    customer_id: UUID, recipients: Recipients | None, said: Sequence[Said], asked: Iterable[UUID], *, today: date
) -> Proviso:
    """Return the proviso that each invoice is owed as the mail says, that no hold stops what it asks for, and that the
    customer wants it where it goes; a rehearsal goes to no recipients of a customer.
    """
    whom = recipients or NOBODY
    values = (
        _array(each.invoice_id for each in said),
        _array(each.balance for each in said),
        _array(each.in_flight for each in said),
        str(customer_id),
        _array(asked),
        today.isoformat(),
        Topic.REMINDERS.value,
        text_array(address for address, _ in whom.to),
        text_array(whom.cc),
    )
    return Proviso(NOTHING_CHANGED, values)


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
