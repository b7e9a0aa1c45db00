"""Adds one customer by hand, with the people to write to. Nobody is invited, and no mail goes out."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Lower

from payorcrm.core.errors import Refused
from payorcrm.customers.lock_numbers import lock_customer_numbers
from payorcrm.customers.models import Contact, Customer
from payorcrm.merchants.models import Merchant

# A second press within this time means the first.
JUST_NOW = timedelta(minutes=10)
MOST_NUMBER = 64


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """What is known of a customer, in the columns that an import fills, too; without a number, the name is it."""

    company_name: str
    number: str
    category: str = ""
    phone: str = ""
    address: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        if not self.number:
            object.__setattr__(self, "number", self.company_name)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Whom mails go to: the first address is the one on file, the others become contacts of their own."""

    first_name: str = ""
    last_name: str = ""
    emails: tuple[str, ...] = ()


class NotACustomer(Refused):
    """What should be added lacks a name, or has no number that fits."""

    code: ClassVar[str] = "not_a_customer"
    status: ClassVar[int] = 422


class CustomerNumberTaken(Refused):
    """The merchant has a customer with this number already."""

    code: ClassVar[str] = "customer_number_taken"


class CustomerNameTaken(Refused):
    """The merchant has a customer of this name already, whatever its number."""

    code: ClassVar[str] = "customer_name_taken"


def add_customer(*, merchant: Merchant, facts: NewCustomer, person: NewPerson) -> Customer:
    """Write a customer and its contacts. Raises NotACustomer, CustomerNumberTaken, CustomerNameTaken."""
    check_facts(facts)
    with transaction.atomic():
        lock_customer_numbers(merchant.id)
        mine = Customer.objects.filter(merchant=merchant)
        refuse_taken_number(mine, facts)
        refuse_taken_name(mine, facts)
        customer = Customer.objects.create(merchant=merchant, **asdict(facts))
        Contact.objects.bulk_create(_contacts(customer, person))
    return customer


def add_once(*, merchant: Merchant, facts: NewCustomer, person: NewPerson, now: datetime) -> tuple[Customer, bool]:
    """Add a customer and say that it is new, or return the one that a first press of the same button has just added.

    Raises as `add_customer`.
    """
    try:
        return add_customer(merchant=merchant, facts=facts, person=person), True
    except (CustomerNumberTaken, CustomerNameTaken):
        made = Customer.objects.filter(merchant=merchant, created_at__gt=now - JUST_NOW, **asdict(facts)).first()
        if made and _known(made) == {(each.first_name, each.last_name, each.email) for each in _contacts(made, person)}:
            return made, False
        raise


def check_facts(facts: NewCustomer) -> None:
    """Ask for a name, and for a number that fits. Raises NotACustomer."""
    if not facts.company_name:
        raise NotACustomer("A customer needs a name.")
    if len(facts.number) > MOST_NUMBER:
        raise NotACustomer(f"A customer needs a number of at most {MOST_NUMBER} characters.")


def refuse_taken_number(others: QuerySet[Customer], facts: NewCustomer) -> None:
    """Raise CustomerNumberTaken if one of the others has the number."""
    if same := others.filter(number=facts.number).first():
        raise CustomerNumberTaken(f"{same} has the number {same.number} already.")


def refuse_taken_name(others: QuerySet[Customer], facts: NewCustomer) -> None:
    """Raise CustomerNameTaken if one of the others has the name, whatever the case of its letters."""
    named = others.annotate(lower_name=Lower("company_name")).filter(lower_name=Lower(Value(facts.company_name)))
    if same := named.order_by("id").first():
        raise CustomerNameTaken(
            f"There is already a customer of this name, number {same.number}. "
            "If this is another one, write something that tells them apart, such as the town."
        )


def _contacts(customer: Customer, person: NewPerson) -> list[Contact]:
    """Return the rows of whom to write to; nobody, where neither a name nor an address is known."""
    names = {"first_name": person.first_name, "last_name": person.last_name}
    if not (any(names.values()) or person.emails):
        return []
    whose = {"merchant_id": customer.merchant_id, "customer": customer}
    first, *more = person.emails or ("",)
    return [
        Contact(**whose, **names, email=first, is_primary=True),
        *(Contact(**whose, email=email) for email in more),
    ]


def _known(customer: Customer) -> set[tuple[str, str, str]]:
    return set(Contact.objects.filter(customer=customer).values_list("first_name", "last_name", "email"))
