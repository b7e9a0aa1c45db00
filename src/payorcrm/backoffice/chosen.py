"""Which rows an action on many is about: those that were ticked in a list, or all that its filters show."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict

from payorcrm.backoffice.access import chosen_customers, chosen_invoices
from payorcrm.backoffice.customer_filter import CustomerFilter
from payorcrm.backoffice.forms import Filter
from payorcrm.backoffice.invoice_filter import InvoiceFilter
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Staff

MOST = 50_000
# A list says no higher number than this, so that it need not count a million rows.
COUNTED = 100_000
EVERYTHING = "everything"


class TooMany(Refused):
    """An action was asked for on more rows than one step can take."""

    code: ClassVar[str] = "too_many"
    status: ClassVar[int] = 422
    message = f"These are more than {MOST:,} at once. Narrow the list with its filters, and do it in parts."


class UnreadableFilter(Refused):
    """A filter narrows nothing because it cannot be read; its rows must not become more than somebody meant."""

    code: ClassVar[str] = "unreadable_filter"
    status: ClassVar[int] = 422
    message = "One of the filters cannot be read. Mend it in the list first, so that it is clear which rows you mean."


class NobodyChosen(Refused):
    """The button above a list was pressed, and no row of it was ticked."""

    code: ClassVar[str] = "nobody_chosen"
    message = "Choose at least one customer first."


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows, and what a form must carry to name the same ones again."""

    ids: list[UUID]
    is_everything: bool
    fields: list[tuple[str, str]]

    def mark(self) -> str:
        """Return what tells these rows from any others, even from as many others."""
        return hashlib.sha256(b"".join(each.bytes for each in self.ids)).hexdigest()

    def has_changed(self, sent_in: QueryDict) -> bool:
        """Say whether a form was about other rows than there are now."""
        return self.is_everything and sent_in.get("mark") != self.mark()


def customers_or_all(staff: Staff, sent_in: QueryDict) -> tuple[Chosen, list[UUID] | None]:
    """Return the customers that a form names, and their ids; no ids: all are meant. Raises NobodyChosen, TooMany."""
    chosen = customers_in(staff, sent_in)
    if "chosen" in sent_in and not chosen.ids:
        raise NobodyChosen
    return chosen, chosen.ids if chosen.ids or chosen.is_everything else None


def invoices_in(staff: Staff, sent_in: QueryDict) -> Chosen:
    """Return the invoices that a form names; 404 for anybody else's. Raises TooMany."""
    if EVERYTHING not in sent_in:
        ids = [invoice.id for invoice in chosen_invoices(staff, sent_in)]
        return Chosen(ids, False, [("invoice", str(each)) for each in ids])
    filters = InvoiceFilter(sent_in, merchant=staff.merchant)
    return _everything(all_invoices(staff, filters), filters)


def customers_in(staff: Staff, sent_in: QueryDict) -> Chosen:
    """Return the customers that a form names; 404 for anybody else's. Raises TooMany."""
    if EVERYTHING not in sent_in:
        ids = [customer.id for customer in chosen_customers(staff, sent_in)]
        return Chosen(ids, False, [("customer", str(each)) for each in ids])
    filters = CustomerFilter(sent_in, merchant=staff.merchant)
    return _everything(all_customers(staff, filters), filters)


def all_invoices(staff: Staff, filters: InvoiceFilter) -> QuerySet[Invoice]:
    """Return the invoices that the filters of the list show."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    return filters.narrow(
        Invoice.objects.filter(merchant=staff.merchant), today=today, currency=staff.merchant.currency
    )


def all_customers(staff: Staff, filters: CustomerFilter) -> QuerySet[Customer]:
    """Return the customers that the filters of the list show."""
    return filters.customers(today=clock.day_in(staff.merchant.time_zone, clock.now()))


def count_of(rows: QuerySet[Invoice] | QuerySet[Customer]) -> int:
    """Count rows, up to one more than `COUNTED`."""
    # Without the columns that only an order needs.
    return rows.order_by().values("id")[: COUNTED + 1].count()


def carried(filters: Filter) -> list[tuple[str, str]]:
    """Return the filters that are set, as hidden fields carry them."""
    return [(name, filters.data[name]) for name in filters.fields if name != "sort" and filters.data.get(name)]


def _everything(rows: QuerySet[Invoice] | QuerySet[Customer], filters: Filter) -> Chosen:
    if filters.errors:
        raise UnreadableFilter
    ids = list(rows.order_by("id").values_list("id", flat=True)[: MOST + 1])
    if len(ids) > MOST:
        raise TooMany
    return Chosen(ids, True, [(EVERYTHING, "yes"), *carried(filters)])
