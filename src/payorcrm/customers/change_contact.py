"""Changes whom a customer's mails go to, and in which language they are written."""

from dataclasses import dataclass

from django.db import transaction

from payorcrm.customers.models import Contact, Customer


@dataclass(frozen=True, slots=True)
class Person:
    """The person to write to. Without an address, no mail goes out."""

    first_name: str
    last_name: str
    email: str
    phone: str


def change_contact(*, customer: Customer, person: Person, language: str) -> Contact:
    """Put a person on file for a customer. Who signs in to the portal stays as it is."""
    with transaction.atomic():
        Customer.objects.select_for_update().get(id=customer.id)
        customer.language = language
        customer.save(update_fields=["language"])
        contact, _ = Contact.objects.update_or_create(
            customer=customer,
            is_primary=True,
            defaults={
                "merchant_id": customer.merchant_id,
                "first_name": person.first_name,
                "last_name": person.last_name,
                "email": person.email,
                "phone": person.phone,
            },
        )
    return contact
