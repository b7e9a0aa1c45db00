"""Further people at a customer: adds, changes and removes them, and chooses whose address is the one on file."""

from typing import ClassVar

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.customers.change_contact import Person
from payorcrm.customers.models import Contact, Customer

MOST_CONTACTS = 50


class ContactRefused(Refused):
    """What was asked for would leave a customer's contacts in a state that helps nobody."""

    code = "contact_refused"
    status: ClassVar[int] = 422


def add_contact(*, customer: Customer, person: Person) -> Contact:
    """Keep a further person; the first one with an address is the one on file. Raises ContactRefused."""
    _check(person)
    with transaction.atomic():
        _lock(customer)
        contacts = Contact.objects.filter(customer=customer)
        if contacts.count() >= MOST_CONTACTS:
            raise ContactRefused(f"A customer has at most {MOST_CONTACTS} contacts. Remove one first.")
        is_first = bool(person.email) and not contacts.filter(is_primary=True).exists()
        contact = Contact(merchant_id=customer.merchant_id, customer=customer, is_primary=is_first)
        return _write(contact, person)


def change_person(*, contact: Contact, person: Person) -> Contact:
    """Store what is known of a person. Raises ContactRefused."""
    _check(person)
    return _write(contact, person)


def remove_contact(contact: Contact) -> None:
    """Forget a person; mails that were sent stay. Raises ContactRefused for the address on file."""
    with transaction.atomic():
        _lock(contact.customer)
        contact.refresh_from_db()
        if contact.is_primary:
            raise ContactRefused("Mails go to this address. Choose another address on file first.")
        contact.delete()


def make_primary(contact: Contact) -> None:
    """Let mails go to a person from now on, those not sent yet excepted. Raises ContactRefused."""
    with transaction.atomic():
        _lock(contact.customer)
        contact.refresh_from_db()
        if not contact.email:
            raise ContactRefused("This person has no e-mail address, so that no mail would reach the customer.")
        Contact.objects.filter(customer=contact.customer_id, is_primary=True).update(is_primary=False)
        Contact.objects.filter(id=contact.id).update(is_primary=True)


def _check(person: Person) -> None:
    if not (person.first_name or person.last_name or person.email):
        raise ContactRefused("Enter a name or an e-mail address.")


def _lock(customer: Customer) -> None:
    Customer.objects.select_for_update().get(id=customer.id)


def _write(contact: Contact, person: Person) -> Contact:
    contact.first_name, contact.last_name = person.first_name, person.last_name
    contact.email, contact.phone = person.email, person.phone
    contact.save()
    return contact
