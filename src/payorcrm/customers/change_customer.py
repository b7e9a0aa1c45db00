"""Changes what is known of a customer: name, number, category and the like. Whom mails go to is `change_contact`'s."""

from dataclasses import asdict, fields
from typing import ClassVar, NamedTuple

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.customers.add_customer import NewCustomer, check_facts, refuse_taken_name, refuse_taken_number
from payorcrm.customers.lock_numbers import lock_customer_numbers
from payorcrm.customers.models import Customer

FACTS = tuple(field.name for field in fields(NewCustomer))


class Difference(NamedTuple):
    """One fact that is not what it was."""

    name: str
    before: str
    after: str


class CustomerChangedMeanwhile(Refused):
    """Somebody else, or a file, changed the customer after the form was shown."""

    code: ClassVar[str] = "customer_changed_meanwhile"
    status: ClassVar[int] = 409
    message = "Nothing was saved: this customer was changed while you were typing."

    def __init__(self, seen: NewCustomer, present: NewCustomer) -> None:
        super().__init__()
        self.present = present
        self.differences = differences_between(seen, present)


def facts_of(customer: Customer) -> NewCustomer:
    """Return what is on file of a customer."""
    return NewCustomer(**{name: getattr(customer, name) for name in FACTS})


def differences_between(before: NewCustomer, after: NewCustomer) -> list[Difference]:
    """Return the facts that differ."""
    pairs = [Difference(name, getattr(before, name), getattr(after, name)) for name in FACTS]
    return [pair for pair in pairs if pair.before != pair.after]


def change_customer(*, customer: Customer, seen: NewCustomer, facts: NewCustomer) -> bool:
    """Bring a customer to `facts`, which somebody typed over what was `seen`, and say whether that changed anything.

    Raises NotACustomer, CustomerNumberTaken, CustomerNameTaken, CustomerChangedMeanwhile.
    """
    check_facts(facts)
    with transaction.atomic():
        lock_customer_numbers(customer.merchant_id)
        present = facts_of(Customer.objects.select_for_update().get(id=customer.id))
        if present == facts:
            return False
        if present != seen:
            raise CustomerChangedMeanwhile(seen, present)
        _refuse_taken(customer, present, facts)
        Customer.objects.filter(id=customer.id).update(**asdict(facts))
    return True


def _refuse_taken(customer: Customer, present: NewCustomer, facts: NewCustomer) -> None:
    """Refuse what another customer has. Files may have brought two of one name; neither has to be renamed for that."""
    others = Customer.objects.filter(merchant=customer.merchant_id).exclude(id=customer.id)
    refuse_taken_number(others, facts)
    if facts.company_name.lower() != present.company_name.lower():
        refuse_taken_name(others, facts)
