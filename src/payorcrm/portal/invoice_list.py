"""What the list of invoices was asked for: a tab, an order, filters; and the invoices that fit."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, QuerySet, TextChoices
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from payorcrm.core.dates import YEARS
from payorcrm.core.money import is_currency
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice, InvoiceStatus

_MOST_LETTERS = 64


class Tab(TextChoices):
    """The three parts of the list. Money that is under way for a part of an invoice puts it into two."""

    UNPAID = "unpaid", _("Unpaid")
    PROCESSING = "processing", _("Processing")
    PAID = "paid", pgettext_lazy("invoices", "Paid")


class Order(TextChoices):
    """In which order the rows stand."""

    DUE = "due", _("Due date, earliest first")
    DUE_LAST = "-due", _("Due date, latest first")
    NUMBER = "number", _("Number, A to Z")
    NUMBER_LAST = "-number", _("Number, Z to A")
    AMOUNT = "amount", _("Amount, smallest first")
    AMOUNT_LAST = "-amount", _("Amount, largest first")
    ISSUED = "issued", _("Invoice date, earliest first")
    ISSUED_LAST = "-issued", _("Invoice date, latest first")


_COLUMNS = {"due": "due_on", "number": "number", "amount": "total", "issued": "issued_on"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks for. What cannot be read there narrows nothing; the names are those of the address."""

    tab: Tab = Tab.UNPAID
    sort: Order | None = None
    search: str = ""
    currency: str = ""
    overdue: bool = False
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> "Wanted":
        """Read the words of an address."""
        if not query:
            return cls()
        tab, sort, currency = query.get("tab", ""), query.get("sort", ""), query.get("currency", "")
        return cls(
            tab=Tab(tab) if tab in Tab.values else Tab.UNPAID,
            sort=Order(sort) if sort in Order.values else None,
            search=_text(query.get("search", "")),
            currency=currency if is_currency(currency) else "",
            overdue=bool(query.get("overdue")),
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
        )

    @property
    def order(self) -> Order:
        """The order asked for, else what is due first; of what is settled, the latest."""
        return self.sort or (Order.DUE_LAST if self.tab == Tab.PAID else Order.DUE)

    @property
    def by(self) -> tuple[str, str]:
        """The columns of the order, for `page_of`."""
        sign, name = ("-", self.order[1:]) if self.order.startswith("-") else ("", self.order.value)
        return f"{sign}{_COLUMNS[name]}", f"{sign}id"

    @property
    def is_refined(self) -> bool:
        """Whether more than a number or an order is asked for that the form behind "Filter and sort" shows."""
        return bool(self.currency or self.overdue or self.since or self.until or self.sort)

    @property
    def is_narrow(self) -> bool:
        """Whether less than the whole tab is asked for."""
        return bool(self.search or self.currency or self.overdue or self.since or self.until)

    def address(self, **other: Any) -> str:
        """Return the query string that asks for this, with some words changed."""
        said = {field.name: getattr(self, field.name) for field in fields(self)} | other
        said["tab"] = "" if said["tab"] == Tab.UNPAID else said["tab"]
        said["overdue"] = "on" if said["overdue"] else ""
        return urlencode({name: value for name, value in said.items() if value}) or "tab=unpaid"

    def invoices_of(self, customer: Customer, *, today: date) -> QuerySet[Invoice]:
        """Return the customer's invoices that fit, in no order; never drafts."""
        found = _of_tab(Invoice.objects.filter(customer_id=customer.id), self.tab)
        if self.search:
            found = found.filter(number__icontains=self.search)
        if self.currency:
            found = found.filter(currency=self.currency)
        if self.overdue:
            found = found.filter(status=InvoiceStatus.OPEN, due_on__lt=today)
        if self.since:
            found = found.filter(due_on__gte=self.since)
        if self.until:
            found = found.filter(due_on__lte=self.until)
        return found


def _of_tab(invoices: QuerySet[Invoice], tab: Tab) -> QuerySet[Invoice]:
    if tab == Tab.PAID:
        return invoices.filter(status__in=[InvoiceStatus.PAID, InvoiceStatus.VOID, InvoiceStatus.WRITTEN_OFF])
    still_open = invoices.filter(status=InvoiceStatus.OPEN)
    return (
        still_open.filter(in_flight__gt=0) if tab == Tab.PROCESSING else still_open.filter(in_flight__lt=F("balance"))
    )


def _text(given: str) -> str:
    # PostgreSQL knows no NUL and no halves of surrogate pairs.
    return given.strip()[:_MOST_LETTERS] if given.isprintable() else ""


def _day(given: str) -> date | None:
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return None
    return day if day.year in YEARS else None


@dataclass(frozen=True, slots=True)
class Column:
    """A heading of the table: its words, and the address that sorts by it, the other way round the second time."""

    label: str
    address: str = ""
    sorted: str = ""
    is_number: bool = False


def columns_of(wanted: Wanted) -> list[Column]:
    """Return the headings of the list."""
    return [
        _sortable(wanted, gettext("Invoice"), Order.NUMBER, Order.NUMBER_LAST),
        _sortable(wanted, gettext("Issued"), Order.ISSUED, Order.ISSUED_LAST),
        _sortable(wanted, gettext("Due"), Order.DUE, Order.DUE_LAST),
        Column(gettext("Status")),
        _sortable(wanted, gettext("Amount"), Order.AMOUNT, Order.AMOUNT_LAST, is_number=True),
        Column(gettext("Balance"), is_number=True),
    ]


def _sortable(wanted: Wanted, label: str, up: Order, down: Order, *, is_number: bool = False) -> Column:
    direction = {up: "ascending", down: "descending"}.get(wanted.order, "")
    return Column(label, wanted.address(sort=down if wanted.order == up else up), direction, is_number)
