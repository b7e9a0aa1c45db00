"""Reads about customers that several callers share."""

from typing import ClassVar
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.customers.models import Contact


class NoAddressOnFile(Refused):
    """A mail should go to a customer whose e-mail address is not known."""

    code = "no_address_on_file"
    status: ClassVar[int] = 409
    message = _("There is no e-mail address on file for this customer.")


def contact_on_file(customer_id: UUID) -> Contact:
    """Return the primary contact, whose e-mail is the address on file. Raises NoAddressOnFile."""
    # Plain SQL, as in other reads that every payment makes: composing the query would take longer than running it.
    for contact in Contact.objects.raw(
        "SELECT * FROM customers_contact WHERE customer_id = %s AND is_primary AND email <> ''", [customer_id]
    ):
        return contact
    raise NoAddressOnFile


def masked_address(address: str) -> str:
    """Return an address as its owner recognises it and nobody else learns it: `j•••@acme.example`."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}"


def users_known_as(email: str) -> QuerySet[User]:
    """Return the one user of an address, or none, by the index that makes addresses unique."""
    return User.objects.alias(known_as=Lower("email")).filter(known_as=Lower(Value(email.replace("\0", ""))))


def address_on_file() -> Exists:
    """Return the condition that the address of an access's user is the one on file of its customer."""
    contacts = Contact.objects.filter(customer=OuterRef("customer"), is_primary=True)
    return Exists(contacts.alias(known_as=Lower("email")).filter(known_as=Lower(OuterRef("user__email"))))
