"""Amounts that staff type in beside invoices: how much of a payment each is to get."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from payorcrm.core.money import Money, NotAnAmount, parse_minor
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice

# More invoices than anybody types amounts for; a form has fewer than a thousand fields, too.
MOST_ROWS = 200
_PREFIX = "part-"
_GONE = (
    "an amount was written beside an invoice that is not owed here any more: it was paid or voided meanwhile, is just "
    "being paid, or is in another currency. Please look at the amounts below."
)


@dataclass(slots=True)
class Part:
    """One invoice, what it gets now, the most that it can get, and what was typed in."""

    invoice: Invoice
    current: Money
    most: Money
    text: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        """What the field is called."""
        return f"{_PREFIX}{self.invoice.id}"


@dataclass(slots=True)
class Parts:
    """The rows of a form, and what is wrong with them as a whole."""

    rows: list[Part] = field(default_factory=list)
    hidden_count: int = 0
    has_gone: bool = False

    def propose(self, amount: Money) -> None:
        """Fill in the amount, the invoices due first at first."""
        left = amount.minor
        for row in self.rows:
            part = Money(max(0, min(left, row.most.minor)), amount.currency)
            row.text = _plain(part)
            left -= part.minor

    def read(self, sent_in: Mapping[str, str]) -> dict[UUID, int]:
        """Return the minor units for each invoice, and note on the rows what could not be read.

        Something for an invoice without a row is noted, too: a page in another tab may be older than a payment.
        """
        by_invoice: dict[UUID, int] = {}
        known = {row.name for row in self.rows}
        asked = {name for name, text in sent_in.items() if name.startswith(_PREFIX) and text.strip(" 0.,")}
        self.has_gone = not asked <= known
        for row in self.rows:
            row.text = sent_in.get(row.name, "").strip()
            try:
                minor = parse_minor(row.text, row.most.currency) if row.text else 0
            except NotAnAmount:
                row.error = "Write an amount, such as 1150 or 1,150.00."
                continue
            if minor < 0:
                row.error = "Write an amount of nothing or more."
            elif minor > row.most.minor:
                row.error = f"At most {row.most} can go to this invoice."
            by_invoice[row.invoice.id] = minor
        return by_invoice

    def trouble(self) -> str:
        """Say what is wrong with what was read; empty if nothing is."""
        if self.has_gone:
            return _GONE
        return "please look at the amounts beside the invoices." if any(row.error for row in self.rows) else ""


def parts_of(customer: Customer, currency: str, current: Mapping[UUID, int]) -> Parts:
    """Return the invoices that get something now and those that are owed, due first at first, of one currency."""
    owned = Invoice.objects.filter(customer=customer, currency=currency)
    wanted = owned.filter(id__in=current) | owned.payable()
    rows = [_part(invoice, current) for invoice in wanted.order_by("due_on", "number")[: MOST_ROWS + 1]]
    hidden = max(0, wanted.count() - MOST_ROWS) if len(rows) > MOST_ROWS else 0
    return Parts(rows[:MOST_ROWS], hidden)


def _part(invoice: Invoice, current: Mapping[UUID, int]) -> Part:
    now = Money(current.get(invoice.id, 0), invoice.currency)
    payable = invoice.payable_money() if invoice.status == "open" else Money.zero(invoice.currency)
    return Part(invoice, now, now + payable, _plain(now))


def _plain(amount: Money) -> str:
    return str(amount.to_decimal()) if amount else ""


def total_of(by_invoice: Iterable[int], currency: str) -> Money:
    """Add up parts."""
    return Money(sum(by_invoice), currency)
