"""The rows of the list of invoices, as HTML.

Thirty rows of template tags would take longer than all else on the page; one format string a row does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from uuid import UUID

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from payorcrm.core.language import babel_locale
from payorcrm.core.money import Money
from payorcrm.core.write_dates import write_day
from payorcrm.invoices.models import Invoice, Standing
from payorcrm.ui.templatetags.ui import badge

_ROW = """<tr>{pick}
<td class="name nowrap"><a href="{path}">{number}</a></td>
<td data-label="%(issued)s">{issued_on}</td>
<td data-label="%(due)s"><span>{due_on}{overdue}</span></td>
<td data-label="%(status)s"><span>{badge}{note}</span></td>
<td class="number{lead_total}" data-label="%(amount)s"><span class="money">{total}</span></td>
<td class="number{lead_balance}" data-label="%(balance)s"><span class="money">{balance}</span></td>
<td class="file"><a class="button quiet slim" href="{path}pdf/" aria-label="%(pdf)s">PDF</a></td>
</tr>
"""
_PICK = (
    '<td class="pick"><input type="checkbox" name="invoice" value="{id}" data-minor="{minor}"'
    ' data-currency="{currency}" aria-label="%(pick)s"></td>'
)
# The amount that a narrow screen puts beside the number: what is owed, and of a paid invoice what it came to.
_LEAD = " total"
_UNDER = '<span class="under">{}</span>'


@dataclass(frozen=True, slots=True)
class _Words:
    """What all rows of one language share: format strings with their labels filled in, and a badge for each state."""

    language: str
    locale: str
    row: str
    pick: str
    badges: dict[Standing, str]


def rows_of(invoices: Iterable[Invoice], *, today: date, can_pick: bool) -> SafeString:
    """Return the rows of invoices; each begins with a box to tick if it can be paid and rows can be picked."""
    words = _words_of(get_language() or "")
    written = "".join(_row(words, invoice, today, words.pick if can_pick else "") for invoice in invoices)
    return mark_safe(written)  # noqa: S308 (our own markup; `_row` escapes the only text that people wrote)


def _row(words: _Words, invoice: Invoice, today: date, pick: str) -> str:
    number, invoice_id, currency = escape(invoice.number), str(invoice.id), invoice.currency
    standing, payable = standing_of(invoice, today=today), invoice.balance - invoice.in_flight
    before, after = _path()
    return words.row.format(
        pick=pick and pick.format(id=invoice_id, minor=payable, currency=currency, number=number),
        path=f"{before}{invoice_id}{after}",
        number=number,
        issued_on=_day(invoice.issued_on, words.language),
        due_on=_day(invoice.due_on, words.language),
        overdue=_overdue((today - invoice.due_on).days, words.language) if standing == Standing.OVERDUE else "",
        badge=words.badges[standing],
        note=_UNDER.format(_what_is_under_way(invoice)) if invoice.in_flight else "",
        total=Money(invoice.total, currency).format(words.locale),
        balance=Money(invoice.balance, currency).format(words.locale),
        lead_total="" if invoice.balance else _LEAD,
        lead_balance=_LEAD if invoice.balance else "",
    )


def standing_of(invoice: Invoice, *, today: date) -> Standing:
    """Return what to show: with money under way for a part only, the rest is still open or overdue."""
    if 0 < invoice.in_flight < invoice.balance:
        return Standing.OVERDUE if invoice.is_overdue(today=today) else Standing.OPEN
    return invoice.standing(today=today)


def _what_is_under_way(invoice: Invoice) -> str:
    if invoice.in_flight == invoice.balance:
        return _("A payment is under way")
    return _("A payment of %(amount)s is under way") % {"amount": invoice.in_flight_money()}


# The language of the next three is the active one; it is only the key under which they are kept.


@lru_cache(maxsize=8192)
def _day(day: date, _language: str) -> str:
    return f'<time class="nowrap" datetime="{day.isoformat()}">{write_day(day)}</time>'


@lru_cache(maxsize=4096)
def _overdue(days: int, _language: str) -> str:
    return _UNDER.format(ngettext("%(days)d day overdue", "%(days)d days overdue", days) % {"days": days})


@cache
def _words_of(language: str) -> _Words:
    labels = {
        "issued": _("Issued"),
        "due": _("Due"),
        "status": _("Status"),
        "amount": _("Amount"),
        "balance": _("Balance"),
        "pdf": escape(_("Invoice %(number)s as PDF") % {"number": "{number}"}),
        "pick": escape(_("Select invoice %(number)s") % {"number": "{number}"}),
    }
    badges = {each: str(badge(each)) for each in Standing}
    return _Words(language, babel_locale(), _ROW % labels, _PICK % labels, badges)


@cache
def _path() -> tuple[str, str]:
    # Django's own `reverse` takes eight microseconds, thirty times a page.
    before, _id, after = reverse("portal:invoice", args=[UUID(int=0)]).partition(str(UUID(int=0)))
    return before, after
