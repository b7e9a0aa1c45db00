"""The pieces of reminders that code writes: invoice list, payment buttons, link to sign in, as HTML and as text.

A reminder run writes a hundred thousand of these rows. Their HTML is inlined once and only filled in here. All is in
the language that is spoken where it is called.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from html import escape
from uuid import UUID

from babel.numbers import format_decimal
from django.conf import settings
from django.template import Context
from django.utils.translation import gettext, ngettext

from payorcrm.core.language import babel_locale
from payorcrm.core.money import Money
from payorcrm.core.write_dates import write_long_day
from payorcrm.mail.compose import mail_engine
from payorcrm.mail.layout import inline_styles
from payorcrm.payments.links import CARD, invoice_pdf_link, payment_link, statement_link

MOST_ROWS = 50
# A number this long fits a telephone beside date and amount; a longer one may break, or it would widen the mail.
SHORT_NUMBER = 14

_PART = "<!--part-->"
_GAP = re.compile(r"@@\d@@")


@dataclass(frozen=True, slots=True)
class Row:
    """One overdue invoice."""

    number: str
    due_on: date
    payable: int
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """One way to pay."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Overdue invoices of one currency, oldest first, and what a mail's links to them are made of."""

    rows: Sequence[Row]
    currency: str
    today: date
    request_id: UUID
    made_at: datetime

    @property
    def more_url(self) -> str:
        """Where those are that a mail has no room for."""
        return payment_link(self.request_id, CARD, self.made_at)

    def pdf_url(self, invoice_id: UUID) -> str:
        """Where an invoice's PDF is, without signing in."""
        return invoice_pdf_link(self.request_id, invoice_id, self.made_at)

    @property
    def statement_url(self) -> str:
        """Where the customer's statement is, without signing in."""
        return statement_link(self.request_id, self.made_at)

    def total(self) -> Money:
        return Money(sum(row.payable for row in self.rows), self.currency)


Piece = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The inlined HTML of every piece, cut open where values belong."""

    head: Piece
    short_row: Piece
    long_row: Piece
    more: Piece
    total: Piece
    button: Piece
    quiet_button: Piece
    note: Piece
    link: Piece
    pdfs: Piece


def parts_in(accent: str) -> Parts:
    """Return the pieces in a merchant's colour."""
    return _parts_in(accent, babel_locale())


@lru_cache(maxsize=64)
def _parts_in(accent: str, _locale: str) -> Parts:
    template = mail_engine().get_template("mail/reminder_parts.html")
    inlined = inline_styles(template.render(Context({"lengths": ["short", "long"]})), accent)
    return Parts(*(tuple(_GAP.split(part)) for part in inlined.split(_PART)[1:]))


def invoice_list_html(parts: Parts, listing: Listing) -> str:
    """Return the table of invoices: number, due date, how late, amount; at the end the total of all of them."""
    today, currency, locale = listing.today, listing.currency, babel_locale()
    pieces = [*parts.head]
    for invoice in listing.rows[:MOST_ROWS]:
        row = parts.short_row if len(invoice.number) <= SHORT_NUMBER else parts.long_row
        due_on = invoice.due_on
        amount = _amount(invoice.payable, currency, locale)
        pieces += (row[0], escape(invoice.number), row[1], _day(due_on, locale), row[2])
        pieces += (_late((today - due_on).days, locale), row[3], amount, row[4])
    hidden = len(listing.rows) - MOST_ROWS
    if hidden > 0:
        pieces.append(_fill(parts.more, escape(listing.more_url), _more(hidden, listing)))
    pieces.append(_fill(parts.total, listing.total().format()))
    return "".join(pieces)


def invoice_list_text(listing: Listing) -> str:
    """Return the same as lines of text, in columns."""
    locale, due = babel_locale(), gettext("due %(day)s")
    rows = [
        (row.number, due % {"day": _day(row.due_on, locale)}, _amount(row.payable, listing.currency, locale))
        for row in listing.rows[:MOST_ROWS]
    ]
    words, total = gettext("Total"), listing.total().format(locale)
    numbers, days = (max(len(row[column]) for row in rows) for column in (0, 1))
    amounts = max(len(total), *(len(row[2]) for row in rows))
    lines = [f"{number:<{numbers}}  {due:<{days}}  {amount:>{amounts}}" for number, due, amount in rows]
    hidden = len(listing.rows) - MOST_ROWS
    if hidden > 0:
        lines += ["", f"{_more(hidden, listing)}: {listing.more_url}", ""]
    return "\n".join([*lines, f"{words:<{numbers + days + 2}}  {total:>{amounts}}"])


def buttons_html(parts: Parts, buttons: Sequence[Button], note: str) -> str:
    """Return the buttons, the first one filled with the merchant's colour, and a note below them."""
    first, *others = buttons
    quiet = parts.quiet_button
    pieces = [_fill(parts.button, escape(first.url), escape(first.label))]
    pieces += [_fill(quiet, escape(button.url), escape(button.label)) for button in others]
    return "".join([*pieces, _fill(parts.note, note)])


def buttons_text(buttons: Sequence[Button], note: str) -> str:
    """Return the buttons as labels, each with its address on a line of its own."""
    return "\n\n".join([*(f"{button.label}:\n{button.url}" for button in buttons), note])


def sign_in_html(parts: Parts, slug: str) -> str:
    """Return the link to the customer's own pages."""
    return _fill(parts.link, escape(sign_in_url(slug)), escape(sign_in_words())).strip()


def sign_in_text(slug: str) -> str:
    """Return the same as text."""
    return f"{sign_in_words()}: {sign_in_url(slug)}"


def statement_pdf_html(parts: Parts, listing: Listing) -> str:
    """Return the link to the customer's statement."""
    return _fill(parts.link, escape(listing.statement_url), escape(_statement_words())).strip()


def statement_pdf_text(listing: Listing) -> str:
    """Return the same as text."""
    return f"{_statement_words()}: {listing.statement_url}"


def invoice_pdfs_html(parts: Parts, listing: Listing) -> str:
    """Return a link to the PDF of each listed invoice."""
    links = (_fill(parts.link, escape(url), escape(words)).strip() for words, url in _pdfs_of(listing))
    return "".join(f"<li>{link}</li>" for link in links).join(parts.pdfs)


def invoice_pdfs_text(listing: Listing) -> str:
    """Return the same as lines of text."""
    return "\n".join(f"{words}: {url}" for words, url in _pdfs_of(listing))


def _pdfs_of(listing: Listing) -> list[tuple[str, str]]:
    words = gettext("Invoice %(number)s (PDF)")
    return [(words % {"number": row.number}, listing.pdf_url(row.id)) for row in listing.rows[:MOST_ROWS] if row.id]


def _statement_words() -> str:
    return gettext("Download your statement (PDF)")


def sign_in_words() -> str:
    """Return what the link says."""
    return gettext("Sign in to see your payments")


def sign_in_url(slug: str) -> str:
    """Return where customers of a merchant sign in: at its own entrance, which looks like its mails."""
    return f"{settings.PUBLIC_URL}/c/{slug}/"


def day_in_words(day: date) -> str:
    """Write a day as "May 8, 2026"."""
    return _day(day, babel_locale())


def late_in_words(days: int) -> str:
    """Say how long ago a due date was."""
    return _late(days, babel_locale())


@lru_cache(maxsize=4096)
def _day(day: date, _locale: str) -> str:
    return write_long_day(day)


@lru_cache(maxsize=4096)
def _late(days: int, locale: str) -> str:
    shown = {"count": format_decimal(abs(days), locale=locale)}
    if days == 0:
        return gettext("due today")
    if days < 0:
        return ngettext("due in %(count)s day", "due in %(count)s days", -days) % shown
    return ngettext("%(count)s day overdue", "%(count)s days overdue", days) % shown


@lru_cache(maxsize=4096)
def _amount(minor: int, currency: str, locale: str) -> str:
    return Money(minor, currency).format(locale)


def _more(hidden: int, listing: Listing) -> str:
    locale = babel_locale()
    shown = {"hidden": format_decimal(hidden, locale=locale), "all": format_decimal(len(listing.rows), locale=locale)}
    return (
        ngettext(
            "and %(hidden)s more: see all %(all)s invoices", "and %(hidden)s more: see all %(all)s invoices", hidden
        )
        % shown
    )


def _fill(piece: Piece, *values: str) -> str:
    filled = [piece[0]]
    for value, rest in zip(values, piece[1:], strict=True):
        filled += (value, rest)
    return "".join(filled)
