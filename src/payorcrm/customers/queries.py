"""Reads about customers that several callers share."""

from typing import ClassVar
from uuid import UUID

from payorcrm.core.errors import Refused
from payorcrm.customers.models import Contact


class NoAddressOnFile(Refused):
    """A mail should go to a customer whose e-mail address is not known."""

    code = "no_address_on_file"
    status: ClassVar[int] = 409
    message = "There is no e-mail address on file for this customer."


def contact_on_file(customer_id: UUID) -> Contact:
    """Return the primary contact, whose e-mail is the address on file. Raises NoAddressOnFile."""
    contact = Contact.objects.filter(customer_id=customer_id, is_primary=True).exclude(email="").first()
    if contact is None:
        raise NoAddressOnFile
    return contact


def masked_address(address: str) -> str:
    """Return an address as its owner recognises it and nobody else learns it: `j•••@acme.example`."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}"
