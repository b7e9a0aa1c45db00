"""Draws a customer's statement: all that is open on a day, per currency, with how long it is overdue."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.core.typeset import MOST_ROWS_HERE, typeset, typeset_long
from payorcrm.core.write_dates import write_day, write_long_day
from payorcrm.customers.models import Customer
from payorcrm.invoices.aging import Account, accounts_of_all
from payorcrm.invoices.draw_invoice import party_facts, pay_online
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.letterhead import paper_for

# About 40 pages, drawn within a second; the sums always count everything.
MOST_INVOICES = 2_000


@dataclass(frozen=True, slots=True)
class Open:
    """All that a customer owes on a day: sums of each currency, and the oldest invoices themselves."""

    customer: Customer
    today: date
    accounts: list[Account]
    listed: list[Invoice]


def statement_pdf(customer: Customer, now: datetime) -> bytes:
    """Return the statement of all that a customer owes now. Raises DocumentTakesTooLong."""
    today = day_in(customer.merchant.time_zone, now)
    return draw_statement(read_open([customer], today=today, most=MOST_INVOICES)[customer.id])


def read_open(customers: Sequence[Customer], *, today: date, most: int) -> dict[UUID, Open]:
    """Return what each customer owes, in two queries; `most` invoices of each are listed, the oldest first.

    `today` is the merchant's; the accounts begin with its own currency.
    """
    ids = [customer.id for customer in customers]
    accounts, listed = accounts_of_all(ids, today=today), _oldest_open(ids, most)
    return {
        customer.id: Open(
            customer,
            today,
            sorted(accounts[customer.id], key=lambda account: account.currency != customer.merchant.currency),
            listed[customer.id],
        )
        for customer in customers
    }


def _oldest_open(customer_ids: Collection[UUID], most: int) -> dict[UUID, list[Invoice]]:
    columns = ("customer_id", "number", "issued_on", "due_on", "currency", "total", "balance", "in_flight", "status")
    place = Window(RowNumber(), partition_by=F("customer_id"), order_by=["due_on", "number"])
    rows = Invoice.objects.open().filter(customer__in=customer_ids).annotate(place=place).filter(place__lte=most)
    found: dict[UUID, list[Invoice]] = {customer_id: [] for customer_id in customer_ids}
    for invoice in rows.order_by("due_on", "number").only(*columns):
        found[invoice.customer_id].append(invoice)
    return found


def draw_statement(owed: Open) -> bytes:
    """Draw a statement, in the active language, without the database. Raises DocumentTakesTooLong."""
    draw = typeset_long if len(owed.listed) > MOST_ROWS_HERE else typeset
    return draw("invoices/statement.typ", _values(owed))


def ages_in_words() -> list[str]:
    """Name the buckets of an account, the first is not due yet."""
    return [_("Not due yet"), _("1–30 days"), _("31–60 days"), _("61–90 days"), _("Over 90 days")]


def _values(owed: Open) -> dict[str, Any]:
    customer, accounts = owed.customer, owed.accounts
    as_of = _("Statement of %(day)s") % {"day": write_long_day(owed.today)}
    sums = [str(account.owed) for account in accounts]
    return paper_for(customer.merchant, as_of) | {
        "heading": _("Statement"),
        "to": party_facts(_("For"), customer),
        "facts": [
            [_("All that is open on"), [write_long_day(owed.today)]],
            *([[_("Total owed"), sums]] if sums else []),
        ],
        "nothing": _("Nothing is open. Thank you."),
        "columns": _columns(),
        "accounts": [
            _account(account, [each for each in owed.listed if each.currency == account.currency], owed)
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


def _account(account: Account, listed: Sequence[Invoice], owed: Open) -> dict[str, Any]:
    ages = zip(ages_in_words(), account.amounts, strict=True)
    aging = [{"words": label, "amount": str(amount)} for label, amount in ages]
    return {
        "heading": _("Invoices in %(currency)s") % {"currency": account.currency}
        if len(owed.accounts) > 1
        else _("Open invoices"),
        "aging": [*aging, {"words": _("Total"), "amount": str(account.owed)}],
        "notice": _in_flight(account),
        "rows": list(_rows(listed, owed.today)),
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
