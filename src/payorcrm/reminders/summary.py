"""The statement summary of a mail: what is owed in each currency, by age, and the oldest invoices, as HTML and text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.template import Context
from django.utils.translation import gettext, ngettext

from payorcrm.invoices.aging import Account
from payorcrm.invoices.draw_statement import Open, ages_in_words
from payorcrm.invoices.models import Invoice
from payorcrm.mail.compose import mail_engine
from payorcrm.mail.layout import inline_styles
from payorcrm.reminders.parts import SHORT_NUMBER, day_in_words, late_in_words

FIELD = "statement_summary"
# So many of the oldest invoices of a currency stand in the mail itself.
FEW_LINES = 5
# Those of several currencies stand between each other.
LINES_READ = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice, in words."""

    number: str
    day: str
    late: str
    looks: str
    length: str
    amount: str


@dataclass(frozen=True, slots=True)
class Part:
    """What is owed in one currency, in words."""

    heading: str
    ages: list[tuple[str, str]]
    total_words: str
    total: str
    processing: str
    lines: list[Line]
    hidden_count: int


def is_asked_for(text: str) -> bool:
    """Say whether a template shows the summary, which must be read from the books then."""
    return FIELD in text


def summary_html(owed: Open, accent: str, *, has_pdf: bool) -> str:
    """Return the summary with its styles inline; with a PDF, it says that all invoices are in there."""
    parts = _parts(owed)
    values: dict[str, Any] = {"parts": parts, "closing": _closing(parts, has_pdf=has_pdf)}
    return inline_styles(mail_engine().get_template("mail/statement_summary.html").render(Context(values)), accent)


def summary_text(owed: Open, *, has_pdf: bool) -> str:
    """Return the same as text, in columns."""
    parts = _parts(owed)
    if not parts:
        return gettext("Nothing is open. Thank you.")
    blocks = [block for part in parts for block in _blocks(part)]
    return "\n\n".join([*blocks, *filter(None, [_closing(parts, has_pdf=has_pdf)])])


def _parts(owed: Open) -> list[Part]:
    return [_part(account, owed) for account in owed.accounts]


def _part(account: Account, owed: Open) -> Part:
    listed = [invoice for invoice in owed.listed if invoice.currency == account.currency][:FEW_LINES]
    ages = [(words, str(amount)) for words, amount in zip(ages_in_words(), account.amounts, strict=True) if amount]
    processing = gettext("Of this, %(amount)s is being processed. It is not taken off the balances until it clears.")
    heading = gettext("Invoices in %(currency)s") % {"currency": account.currency} if len(owed.accounts) > 1 else ""
    return Part(
        heading=heading,
        ages=ages,
        total_words=gettext("Total owed"),
        total=str(account.owed),
        processing=processing % {"amount": account.processing} if account.processing else "",
        lines=[_line(invoice, owed) for invoice in listed],
        hidden_count=account.invoice_count - len(listed),
    )


def _line(invoice: Invoice, owed: Open) -> Line:
    days = (owed.today - invoice.due_on).days
    return Line(
        number=invoice.number,
        day=day_in_words(invoice.due_on),
        late=late_in_words(days),
        looks="late" if days > 0 else "muted",
        length="short" if len(invoice.number) <= SHORT_NUMBER else "long",
        amount=str(invoice.balance_money()),
    )


def _closing(parts: Sequence[Part], *, has_pdf: bool) -> str:
    hidden = sum(part.hidden_count for part in parts)
    if not parts or not (hidden or has_pdf):
        return ""
    if not hidden:
        return gettext("The attached PDF has all of it, too.")
    if has_pdf:
        words = ngettext(
            "%(count)s more invoice is in the attached PDF.", "%(count)s more invoices are in the attached PDF.", hidden
        )
    else:
        words = ngettext("%(count)s more invoice is open.", "%(count)s more invoices are open.", hidden)
    return words % {"count": f"{hidden:,}"}


def _blocks(part: Part) -> list[str]:
    sums = [*part.ages, (part.total_words, part.total)]
    wide, high = (max(len(row[place]) for row in sums) for place in (0, 1))
    blocks = [part.heading] if part.heading else []
    blocks += ["\n".join(f"{words:<{wide}}  {amount:>{high}}" for words, amount in sums)]
    if part.processing:
        blocks.append(part.processing)
    rows = [(line.number, f"{line.day}, {line.late}", line.amount) for line in part.lines]
    first, second, third = (max((len(row[place]) for row in rows), default=0) for place in (0, 1, 2))
    lines = "\n".join(f"{a:<{first}}  {b:<{second}}  {c:>{third}}" for a, b, c in rows)
    return [*blocks, *filter(None, [lines])]
