"""Who gets one kind of mail to a customer: whom its own people named, else the address on file."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from payorcrm.customers.models import Topic
from payorcrm.mail.models import LONGEST_NAME


@dataclass(frozen=True, slots=True)
class Recipients:
    """Addresses and names that a mail is addressed to, at least one, and those that get a copy."""

    to: list[tuple[str, str]]
    cc: list[str]

    def as_fields(self) -> dict[str, Any]:
        """Return them as the outbox names them."""
        (address, name), *others = self.to
        return {"to_address": address, "to_name": name, "also_to": [other for other, _ in others], "cc": self.cc}

    def reaches(self, address: str) -> bool:
        """Say whether a mail comes to an address, be it as a copy."""
        return address.lower() in {each.lower() for each in [*(address for address, _ in self.to), *self.cc]}


def recipients_of(customer_ids: Collection[UUID], topic: Topic) -> dict[UUID, Recipients]:
    """Return the recipients of one kind of mail, in one statement; none for those who want none or have no address."""
    read = _read(customer_ids, topic)
    return {customer_id: wanted for customer_id, (wanted, _) in read.items() if wanted}


def recipients_of_proof(customer_id: UUID, topic: Topic, *, payer: tuple[str, str] | None) -> list[Recipients]:
    """Return to whom the mails of a proof go, in one statement: whom the customer names, and always the payer.

    `payer` is an address and a name; without one, the address on file stands for whoever paid. They get a mail of
    their own unless the customer's own choice has them already, and so even when the customer wants no such mails.
    """
    wanted, on_file = _read([customer_id], topic)[customer_id]
    payer = payer or on_file
    found = [wanted] if wanted else []
    if payer[0] and not (wanted and wanted.reaches(payer[0])):
        found.append(Recipients([(payer[0], payer[1][:LONGEST_NAME])], []))
    return found


def _read(customer_ids: Collection[UUID], topic: Topic) -> dict[UUID, tuple[Recipients | None, tuple[str, str]]]:
    """Return whom each customer wants to get a kind of mail, if anybody, and the address and name on file."""
    with connection.cursor() as cursor:
        cursor.execute(RECIPIENTS, {"customers": list(customer_ids), "topic": topic.value})
        return {
            customer_id: (_recipients(*row) if is_wanted else None, (row[2], row[3]))
            for customer_id, is_wanted, *row in cursor.fetchall()
        }


def _recipients(to: list[str], cc: list[str], address_on_file: str, name: str) -> Recipients:
    addresses = to or [address_on_file]
    name = name[:LONGEST_NAME]
    return Recipients([(address, name if address == address_on_file else "") for address in addresses], cc)


# A row of `customers_notification` stands only where somebody has chosen something.
RECIPIENTS = """
SELECT customer.id,
    coalesce(chosen.is_wanted, true) AND (coalesce(contact.email, '') <> '' OR cardinality(chosen."to") > 0),
    coalesce(chosen."to", '{}'), coalesce(chosen.cc, '{}'), coalesce(contact.email, ''),
    trim(coalesce(contact.first_name, '') || ' ' || coalesce(contact.last_name, ''))
FROM unnest(%(customers)s::uuid[]) AS customer (id)
LEFT JOIN customers_notification AS chosen ON chosen.customer_id = customer.id AND chosen.topic = %(topic)s
LEFT JOIN customers_contact AS contact ON contact.customer_id = customer.id AND contact.is_primary
"""
