"""Finds the customers that the rows of a file name, by number or by company name."""

from collections.abc import Callable

from payorcrm.core.staging import NotUsable
from payorcrm.customers.models import Customer
from payorcrm.merchants.models import Merchant

Find = Callable[[str], str]


class CustomerBook:
    """The customers of one merchant, as a file may name them."""

    def __init__(self, merchant: Merchant) -> None:
        self._numbers: dict[str, str] = {}
        self._names: dict[str, str | None] = {}
        known = Customer.objects.filter(merchant=merchant).values_list("id", "number", "company_name")
        for customer_id, number, name in known.iterator(chunk_size=5_000):
            self._numbers[number] = str(customer_id)
            key = _key(name)
            self._names[key] = None if key in self._names else str(customer_id)

    def by_number(self, text: str) -> str:
        """Return the id of the customer with that number. Raises NotUsable."""
        number = " ".join(text.split())
        if not number:
            raise NotUsable("It is empty.")
        if number not in self._numbers:
            raise NotUsable(f"There is no customer with this number. {_FIRST}")
        return self._numbers[number]

    def by_name(self, text: str) -> str:
        """Return the id of the customer with that number or, when only one has it, that company name. Raises NotUsable.

        QuickBooks names customers by a display name, which an import of customers keeps as their number.
        """
        name = " ".join(text.split())
        if not name:
            raise NotUsable("It is empty.")
        found = self._numbers.get(name) or self._names.get(_key(name), "")
        if found is None:
            raise NotUsable("Several customers have this name; add a column with customer numbers.")
        if not found:
            raise NotUsable(f"There is no customer with this number or name. {_FIRST}")
        return found


_FIRST = "Import the customers first."


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
