"""What people and customers choose about language and name."""

from payorcrm.core.models import User
from payorcrm.customers.models import Customer


def introduce(*, user: User, name: str, language: str) -> None:
    """Keep a user's name and the language of their pages; empty means what the browser asks for."""
    user.name, user.language = name, language
    user.save(update_fields=["name", "language"])


def choose_language(*, customer: Customer, language: str) -> None:
    """Write the mails to a customer in a language; empty means the merchant's."""
    Customer.objects.filter(id=customer.id).update(language=language)
