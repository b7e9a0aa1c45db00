"""The list of invoices as rows of a file."""

from collections.abc import Iterator
from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice
from payorcrm.portal.invoice_rows import standing_of

HEAD = [_("Invoice"), _("Issued"), _("Due"), _("Status"), _("Currency"), _("Amount"), _("Balance"), _("Being paid")]
_AT_ONCE = 2000


def rows_to_export(invoices: QuerySet[Invoice], *, today: date) -> Iterator[list[object]]:
    """Read invoices a few at a time; days and amounts stay what they are."""
    for invoice in invoices.iterator(chunk_size=_AT_ONCE):
        amounts = (invoice.total, invoice.balance, invoice.in_flight)
        yield [
            invoice.number,
            invoice.issued_on,
            invoice.due_on,
            str(standing_of(invoice, today=today).label),
            invoice.currency,
            *(Money(amount, invoice.currency).to_decimal() for amount in amounts),
        ]
