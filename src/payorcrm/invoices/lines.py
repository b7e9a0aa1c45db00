"""The lines of what an invoice bills. Their amounts add up to its total, or there are none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from payorcrm.core.errors import Refused
from payorcrm.core.money import Money, add_up
from payorcrm.invoices.models import Invoice, InvoiceLine

MOST_LINES = 1_000


class LinesDoNotFit(Refused):
    """The lines of an invoice say something else than its total, or cannot be printed."""

    code: ClassVar[str] = "lines_do_not_fit"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class BilledLine:
    """One thing that an invoice bills; quantity and price may be unknown, the amount never is."""

    description: str
    amount: Money
    quantity: Decimal | None = None
    unit_price: Money | None = None


def check_lines(lines: Sequence[BilledLine], *, total: Money) -> None:
    """Refuse lines that do not add up to what is billed. Raises LinesDoNotFit."""
    if not lines:
        return
    if len(lines) > MOST_LINES:
        raise LinesDoNotFit(f"An invoice can have {MOST_LINES} lines at most.")
    if any(not line.description.strip() or len(line.description) > 500 for line in lines):
        raise LinesDoNotFit("Every line needs a description of 1 to 500 characters.")
    if any(line.amount.currency != total.currency for line in lines):
        raise LinesDoNotFit(f"Every line must be in {total.currency}, as the invoice is.")
    added_up = add_up([line.amount for line in lines], total.currency)
    if added_up != total:
        raise LinesDoNotFit(f"The lines add up to {added_up}, but the invoice says {total}.")


def write_lines(billed: Iterable[tuple[Invoice, Sequence[BilledLine]]]) -> None:
    """Write the lines of new invoices, all in one statement per thousand."""
    InvoiceLine.objects.bulk_create(
        (
            InvoiceLine(
                merchant_id=invoice.merchant_id,
                invoice=invoice,
                position=position,
                description=line.description.strip(),
                quantity=line.quantity,
                unit_price=line.unit_price.minor if line.unit_price else None,
                amount=line.amount.minor,
            )
            for invoice, lines in billed
            for position, line in enumerate(lines, 1)
        ),
        batch_size=1000,
    )
