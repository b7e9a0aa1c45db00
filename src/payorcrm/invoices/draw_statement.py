"""Draws a customer's statement: all that is open on a day, per currency, with how long it is overdue."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.core.typeset import MOST_ROWS_HERE, typeset, typeset_long
from payorcrm.core.write_dates import write_day, write_long_day
from payorcrm.customers.models import Customer
from payorcrm.invoices.aging import Account, accounts_of
from payorcrm.invoices.draw_invoice import party_facts, pay_online
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.letterhead import paper_for

# About 40 pages, drawn within a second; the sums always count everything.
MOST_INVOICES = 2_000


def statement_pdf(customer: Customer, now: datetime) -> bytes:
    """Return the statement of all that a customer owes now. Raises DocumentTakesTooLong."""
    today = day_in(customer.merchant.time_zone, now)
    accounts = sorted(
        accounts_of(customer, today=today), key=lambda account: account.currency != customer.merchant.currency
    )
    listed = _oldest_open(customer)
    draw = typeset_long if len(listed) > MOST_ROWS_HERE else typeset
    return draw("invoices/statement.typ", _values(customer, accounts, listed, today))


def _oldest_open(customer: Customer) -> list[Invoice]:
    columns = ("number", "issued_on", "due_on", "currency", "total", "balance")
    rows = Invoice.objects.open().filter(customer=customer).order_by("due_on", "number").only(*columns)
    return list(rows[:MOST_INVOICES])


def _values(customer: Customer, accounts: Sequence[Account], listed: Sequence[Invoice], today: date) -> dict[str, Any]:
    as_of = _("Statement of %(day)s") % {"day": write_long_day(today)}
    owed = [str(account.owed) for account in accounts]
    return paper_for(customer.merchant, as_of) | {
        "heading": _("Statement"),
        "to": party_facts(_("For"), customer),
        "facts": [
            [_("All that is open on"), [write_long_day(today)]],
            *([[_("Total owed"), owed]] if owed else []),
        ],
        "nothing": _("Nothing is open. Thank you."),
        "columns": _columns(),
        "accounts": [
            _account(account, [each for each in listed if each.currency == account.currency], today, len(accounts))
            for account in accounts
        ],
        "pay": pay_online(customer.merchant.slug),
    }


def _columns() -> list[dict[str, Any]]:
    return [
        {"words": words, "wide": place == 0, "number": place > 2}
        for place, words in enumerate(
            [_("Invoice"), _("Issued"), _("Due"), _("Days overdue"), _("Total"), _("Balance")]
        )
    ]


def _account(account: Account, listed: Sequence[Invoice], today: date, account_count: int) -> dict[str, Any]:
    words = [_("Not due yet"), _("1–30 days"), _("31–60 days"), _("61–90 days"), _("Over 90 days")]
    aging = [{"words": label, "amount": str(amount)} for label, amount in zip(words, account.amounts, strict=True)]
    return {
        "heading": _("Invoices in %(currency)s") % {"currency": account.currency}
        if account_count > 1
        else _("Open invoices"),
        "aging": [*aging, {"words": _("Total"), "amount": str(account.owed)}],
        "notice": _in_flight(account),
        "rows": list(_rows(listed, today)),
        "sums": [[_("Total owed"), str(account.owed)]],
        "cut": _cut(account, listed),
    }


def _in_flight(account: Account) -> str:
    if not account.processing:
        return ""
    return _("Of this, %(amount)s is being processed. It is not taken off the balances until it clears.") % {
        "amount": account.processing
    }


def _rows(listed: Iterable[Invoice], today: date) -> Iterable[list[str]]:
    for invoice in listed:
        days = invoice.days_overdue(today=today)
        yield [
            invoice.number,
            write_day(invoice.issued_on),
            write_day(invoice.due_on),
            str(days) if days else "–",
            str(invoice.total_money()),
            str(invoice.balance_money()),
        ]


def _cut(account: Account, listed: Sequence[Invoice]) -> str:
    left_out = account.invoice_count - len(listed)
    if not left_out:
        return ""
    rest = Money(account.owed.minor - sum(invoice.balance for invoice in listed), account.currency)
    return ngettext(
        "%(count)s newer invoice of %(amount)s is not listed here, but counts in every sum. "
        "The export of the portal has it.",
        "%(count)s newer invoices of %(amount)s in all are not listed here, but count in every sum. "
        "The export of the portal has them.",
        left_out,
    ) % {"count": left_out, "amount": rest}
