"""The pieces of reminders that code writes: invoice list, payment buttons, link to sign in, as HTML and as text.

A reminder run writes a hundred thousand of these rows. Their HTML is inlined once and only filled in here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import escape

from django.conf import settings
from django.template import Context

from payorcrm.core.money import Money
from payorcrm.mail.compose import mail_engine
from payorcrm.mail.layout import inline_styles

MOST_ROWS = 50
# A number this long fits a telephone beside date and amount; a longer one may break, or it would widen the mail.
SHORT_NUMBER = 14
SIGN_IN = "Sign in to see your payments"
MONTHS = tuple(date(2000, month, 1).strftime("%B") for month in range(1, 13))

_PART = "<!--part-->"
_GAP = re.compile(r"@@\d@@")


@dataclass(frozen=True, slots=True)
class Row:
    """One overdue invoice."""

    number: str
    due_on: date
    payable: int


@dataclass(frozen=True, slots=True)
class Button:
    """One way to pay."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Overdue invoices of one currency, oldest first; `more_url` shows those that a mail has no room for."""

    rows: Sequence[Row]
    currency: str
    today: date
    more_url: str

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


@lru_cache(maxsize=64)
def parts_in(accent: str) -> Parts:
    """Return the pieces in a merchant's colour."""
    template = mail_engine().get_template("mail/reminder_parts.html")
    inlined = inline_styles(template.render(Context({"lengths": ["short", "long"]})), accent)
    return Parts(*(tuple(_GAP.split(part)) for part in inlined.split(_PART)[1:]))


def invoice_list_html(parts: Parts, listing: Listing) -> str:
    """Return the table of invoices: number, due date, how late, amount; at the end the total of all of them."""
    today, currency = listing.today, listing.currency
    pieces = [*parts.head]
    for invoice in listing.rows[:MOST_ROWS]:
        row = parts.short_row if len(invoice.number) <= SHORT_NUMBER else parts.long_row
        due_on = invoice.due_on
        amount = _amount(invoice.payable, currency)
        pieces += (row[0], escape(invoice.number), row[1], day_in_words(due_on), row[2])
        pieces += (late_in_words((today - due_on).days), row[3], amount, row[4])
    hidden = len(listing.rows) - MOST_ROWS
    if hidden > 0:
        pieces.append(_fill(parts.more, escape(listing.more_url), _more(hidden, listing)))
    pieces.append(_fill(parts.total, listing.total().format()))
    return "".join(pieces)


def invoice_list_text(listing: Listing) -> str:
    """Return the same as lines of text, in columns."""
    rows = [
        (row.number, f"due {day_in_words(row.due_on)}", _amount(row.payable, listing.currency))
        for row in listing.rows[:MOST_ROWS]
    ]
    total = listing.total().format()
    numbers, days = (max(len(row[column]) for row in rows) for column in (0, 1))
    amounts = max(len(total), *(len(row[2]) for row in rows))
    lines = [f"{number:<{numbers}}  {due:<{days}}  {amount:>{amounts}}" for number, due, amount in rows]
    hidden = len(listing.rows) - MOST_ROWS
    if hidden > 0:
        lines += ["", f"{_more(hidden, listing)}: {listing.more_url}", ""]
    return "\n".join([*lines, f"{'Total':<{numbers + days + 2}}  {total:>{amounts}}"])


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


def sign_in_html(parts: Parts) -> str:
    """Return the link to the customer's own pages."""
    return _fill(parts.link, escape(sign_in_url()), SIGN_IN).strip()


def sign_in_text() -> str:
    """Return the same as text."""
    return f"{SIGN_IN}: {sign_in_url()}"


def sign_in_url() -> str:
    """Return where customers sign in."""
    return f"{settings.PUBLIC_URL}/account/login/"


@lru_cache(maxsize=4096)
def day_in_words(day: date) -> str:
    """Write a day as "May 8, 2026"."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


@lru_cache(maxsize=4096)
def late_in_words(days: int) -> str:
    """Say how long ago a due date was."""
    return "1 day overdue" if days == 1 else f"{days:,} days overdue"


@lru_cache(maxsize=4096)
def _amount(minor: int, currency: str) -> str:
    return Money(minor, currency).format()


def _more(hidden: int, listing: Listing) -> str:
    return f"and {hidden:,} more: see all {len(listing.rows):,} invoices"


def _fill(piece: Piece, *values: str) -> str:
    filled = [piece[0]]
    for value, rest in zip(values, piece[1:], strict=True):
        filled += (value, rest)
    return "".join(filled)
