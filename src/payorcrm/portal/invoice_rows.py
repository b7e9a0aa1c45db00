"""The rows of the list of invoices, as HTML.

Thirty rows of template tags would take longer than all else on the page; one format string a row does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from uuid import UUID

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from payorcrm.core.money import Money
from payorcrm.core.write_dates import write_day
from payorcrm.invoices.models import Invoice, Standing
from payorcrm.ui.templatetags.ui import badge, icon

_ROW = """<tr>{pick}
<td class="name nowrap"><a href="{path}">{number}</a></td>
<td data-label="%(issued)s"><time datetime="{issued_iso}">{issued_on}</time></td>
<td data-label="%(due)s"><span><time datetime="{due_iso}">{due_on}</time>{overdue}</span></td>
<td data-label="%(status)s"><span>{badge}{note}</span></td>
<td class="number" data-label="%(amount)s"><span class="money">{total}</span></td>
<td class="number total" data-label="%(balance)s"><span class="money">{balance}</span></td>
<td class="file"><a class="button quiet slim" href="{pdf_path}" aria-label="%(pdf)s">%(icon)sPDF</a></td>
</tr>
"""
_PICK = (
    '<td class="pick"><input type="checkbox" name="invoice" value="{id}" data-minor="{minor}"'
    ' data-currency="{currency}" aria-label="%(pick)s"></td>'
)
_UNDER = '<span class="under">{}</span>'


@dataclass(frozen=True, slots=True)
class _Words:
    """What all rows of one language share: format strings with their labels filled in, and a badge for each state."""

    row: str
    pick: str
    badges: dict[Standing, str]


def rows_of(invoices: Iterable[Invoice], *, today: date, can_pick: bool) -> SafeString:
    """Return the rows of invoices; each begins with a box to tick if it can be paid and rows can be picked."""
    words = _words_of(get_language() or "")
    written = "".join(_row(words, invoice, today, words.pick if can_pick else "") for invoice in invoices)
    return mark_safe(written)  # noqa: S308 (our own markup; `_row` escapes the only text that people wrote)


def _row(words: _Words, invoice: Invoice, today: date, pick: str) -> str:
    number, standing = escape(invoice.number), standing_of(invoice, today=today)
    payable = invoice.balance - invoice.in_flight
    path = _path("portal:invoice", invoice.id)
    return words.row.format(
        pick=pick.format(id=invoice.id, minor=payable, currency=invoice.currency, number=number),
        path=path,
        pdf_path=f"{path}pdf/",
        number=number,
        issued_iso=invoice.issued_on,
        issued_on=write_day(invoice.issued_on),
        due_iso=invoice.due_on,
        due_on=write_day(invoice.due_on),
        overdue=_UNDER.format(_days_overdue(invoice, today)) if standing == Standing.OVERDUE else "",
        badge=words.badges[standing],
        note=_UNDER.format(_what_is_under_way(invoice)) if invoice.in_flight else "",
        total=Money(invoice.total, invoice.currency).format(),
        balance=Money(invoice.balance, invoice.currency).format(),
    )


def standing_of(invoice: Invoice, *, today: date) -> Standing:
    """Return what to show: with money under way for a part only, the rest is still open or overdue."""
    if 0 < invoice.in_flight < invoice.balance:
        return Standing.OVERDUE if invoice.is_overdue(today=today) else Standing.OPEN
    return invoice.standing(today=today)


def _days_overdue(invoice: Invoice, today: date) -> str:
    days = invoice.days_overdue(today=today)
    return ngettext("%(days)d day overdue", "%(days)d days overdue", days) % {"days": days}


def _what_is_under_way(invoice: Invoice) -> str:
    if invoice.in_flight == invoice.balance:
        return _("A payment is under way")
    return _("A payment of %(amount)s is under way") % {"amount": invoice.in_flight_money()}


@cache
def _words_of(language: str) -> _Words:
    """Write what the active language, which is the key here, says in every row."""
    labels = {
        "issued": _("Issued"),
        "due": _("Due"),
        "status": _("Status"),
        "amount": _("Amount"),
        "balance": _("Balance"),
        "pdf": escape(_("Invoice %(number)s as PDF") % {"number": "{number}"}),
        "pick": escape(_("Select invoice %(number)s") % {"number": "{number}"}),
        "icon": icon("arrow-down-tray"),
    }
    return _Words(_ROW % labels, _PICK % labels, {each: str(badge(each)) for each in Standing})


@cache
def _pattern_of(name: str) -> tuple[str, str]:
    before, _nothing, after = reverse(name, args=[UUID(int=0)]).partition(str(UUID(int=0)))
    return before, after


def _path(name: str, invoice_id: UUID) -> str:
    # Django's own `reverse` takes eight microseconds, thirty times a page.
    before, after = _pattern_of(name)
    return f"{before}{invoice_id}{after}"
