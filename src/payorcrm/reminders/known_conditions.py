"""The conditions that rules know: what each one asks, in words and in SQL, and what kind of value it takes.

In SQL, `invoice` and `customer` are rows, `foreseen` is what a rehearsal expects of the invoice, {day} the day that is
asked about, {currency} the currency of what is owed, and %a and %b are the values. Amounts are in hundredths of
whatever currency an invoice has, so that 100.00 means 100 dollars, 100 yen or 100 dinars.
"""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from babel.core import get_global

from payorcrm.core.money import decimals_of, is_currency

MOST_DAYS = 3650
MOST_COUNT = 1000
MOST_AMOUNT = 10**15
LONGEST_TEXT = 100


class Kind(Enum):
    """What stands behind a condition: the names of its values."""

    DAYS = ("days",)
    TWO_DAYS = ("least days", "most days")
    EVERY = ("days", "days between")
    COUNT = ("number",)
    TIMES = ("times",)
    AMOUNT = ("amount",)
    TWO_AMOUNTS = ("least amount", "most amount")
    TEXT = ("text",)
    CATEGORY = ("category",)
    CURRENCY = ("currency",)
    LANGUAGE = ("language",)
    DATE = ("day",)
    YES_OR_NO = ()

    @property
    def is_pair(self) -> bool:
        """Whether the value is a list of two."""
        return len(self.value) == 2


class About(Enum):
    """Under which heading a condition is offered."""

    DUE = "When it is due"
    INVOICE = "Invoice"
    REMINDERS = "Reminders so far"
    CUSTOMER = "Customer"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `label` has … for its values; `words` and `negated` finish a sentence."""

    about: About
    kind: Kind
    label: str
    words: str
    sql: str
    negated: str = ""


def _units() -> str:
    """Return how many minor units one unit of {currency} has."""
    found: dict[int, list[str]] = {}
    for code in sorted(get_global("all_currencies")):
        found.setdefault(decimals_of(code), []).append(f"'{code}'")
    others = [
        f"WHEN {{currency}} IN ({', '.join(codes)}) THEN {10**count}" for count, codes in found.items() if count != 2
    ]
    return f"(CASE {' '.join(others)} ELSE 100 END)"


_UNITS = _units()
_OPEN = """FROM invoices_invoice AS other
    WHERE other.customer_id = customer.id AND other.currency = {currency} AND other.status = 'open'"""
_BALANCE = f"(SELECT coalesce(sum(other.balance), 0) {_OPEN})"
_OVERDUE = f"(SELECT coalesce(sum(other.balance), 0) {_OPEN} AND other.due_on < {{day}})"
_OVERDUE_COUNT = f"(SELECT count(*) {_OPEN} AND other.due_on < {{day}})"
_HAS_METHOD = """EXISTS (SELECT FROM payment_methods_paymentmethod AS method WHERE method.customer_id = customer.id
    AND method.saved_at IS NOT NULL AND method.removed_at IS NULL)"""
_HAS_LOGIN = """EXISTS (SELECT FROM customers_portalaccess AS access WHERE access.customer_id = customer.id
    AND access.removed_at IS NULL)"""
_LAST_PAID = """(SELECT max((payment.submitted_at AT TIME ZONE %(zone)s)::date) FROM payments_payment AS payment
    WHERE payment.customer_id = customer.id AND payment.state IN ('succeeded', 'pending'))"""
# What a rehearsal expects to send counts as if it had been sent; in a run there is nothing of it.
_LAST_REMINDED = "greatest((invoice.last_reminded_at AT TIME ZONE %(zone)s)::date, foreseen.sent_on)"
_REMINDER_COUNT = """((SELECT count(*) FROM payments_paymentrequestline AS line
    JOIN reminders_reminder AS reminder ON reminder.request_id = line.request_id
    JOIN reminders_reminderrun AS run ON run.id = reminder.run_id AND run.to_address = ''
    JOIN mail_mail AS mail ON mail.id = reminder.mail_id AND mail.state IN ('queued', 'sending', 'deferred', 'sent')
    WHERE line.invoice_id = invoice.id)
    + coalesce(foreseen.times, 0))"""
_HAS_PDF = "EXISTS (SELECT FROM invoices_invoicedocument AS document WHERE document.invoice_id = invoice.id)"
_SPOKEN = "coalesce(nullif(customer.language, ''), %(language)s)"
_AGO = "{day} - %a::int"

DUE = {
    "overdue_exactly": Condition(
        About.DUE, Kind.DAYS, "Overdue by exactly … days", "is overdue by exactly {}", f"invoice.due_on = {_AGO}"
    ),
    "overdue_at_least": Condition(
        About.DUE, Kind.DAYS, "Overdue by at least … days", "is overdue by {} or more", f"invoice.due_on <= {_AGO}"
    ),
    "overdue_between": Condition(
        About.DUE,
        Kind.TWO_DAYS,
        "Overdue by … to … days",
        "is overdue by {}",
        "invoice.due_on BETWEEN {day} - %b::int AND {day} - %a::int",
    ),
    "overdue_every": Condition(
        About.DUE,
        Kind.EVERY,
        "Overdue by … days, and every … days after",
        "is overdue by {}",
        "invoice.due_on <= {day} - %a::int AND mod({day} - invoice.due_on - %a::int, %b::int) = 0",
    ),
    "due_in": Condition(
        About.DUE, Kind.DAYS, "Due in exactly … days", "is due in exactly {}", "invoice.due_on = {day} + %a::int"
    ),
    "due_within": Condition(
        About.DUE,
        Kind.DAYS,
        "Due within … days",
        "is due today or within {}",
        "invoice.due_on BETWEEN {day} AND {day} + %a::int",
    ),
}
INVOICE = {
    "amount_at_least": Condition(
        About.INVOICE,
        Kind.AMOUNT,
        "Amount owed is at least …",
        "has at least {} owed on it",
        f"invoice.balance * 100 >= %a::numeric * {_UNITS}",
    ),
    "amount_at_most": Condition(
        About.INVOICE,
        Kind.AMOUNT,
        "Amount owed is at most …",
        "has at most {} owed on it",
        f"invoice.balance * 100 <= %a::numeric * {_UNITS}",
    ),
    "amount_between": Condition(
        About.INVOICE,
        Kind.TWO_AMOUNTS,
        "Amount owed is … to …",
        "has {} owed on it",
        f"invoice.balance * 100 BETWEEN %a::numeric * {_UNITS} AND %b::numeric * {_UNITS}",
    ),
    "currency_is": Condition(About.INVOICE, Kind.CURRENCY, "Currency is …", "is in {}", "invoice.currency = %a"),
    "currency_is_not": Condition(
        About.INVOICE, Kind.CURRENCY, "Currency is not …", "is not in {}", "invoice.currency <> %a"
    ),
    "is_part_paid": Condition(
        About.INVOICE,
        Kind.YES_OR_NO,
        "Is paid in part",
        "is paid in part",
        "(invoice.balance < invoice.total) = %a::boolean",
        "has nothing paid on it",
    ),
    "invoice_number_is": Condition(
        About.INVOICE, Kind.TEXT, "Invoice number is …", "has the number {}", "lower(invoice.number) = lower(%a)"
    ),
    "invoice_number_is_not": Condition(
        About.INVOICE,
        Kind.TEXT,
        "Invoice number is not …",
        "has another number than {}",
        "lower(invoice.number) <> lower(%a)",
    ),
    "invoice_number_begins_with": Condition(
        About.INVOICE,
        Kind.TEXT,
        "Invoice number begins with …",
        "has a number that begins with {}",
        "starts_with(lower(invoice.number), lower(%a))",
    ),
    "issued_from": Condition(
        About.INVOICE, Kind.DATE, "Issued on … or later", "was issued on {} or later", "invoice.issued_on >= %a::date"
    ),
    "issued_before": Condition(
        About.INVOICE, Kind.DATE, "Issued before …", "was issued before {}", "invoice.issued_on < %a::date"
    ),
    "has_pdf": Condition(
        About.INVOICE,
        Kind.YES_OR_NO,
        "Has a PDF",
        "has a PDF",
        f"{_HAS_PDF} = %a::boolean",
        "has no PDF",
    ),
}
REMINDERS = {
    "last_reminded_at_least": Condition(
        About.REMINDERS,
        Kind.DAYS,
        "Last mailed about at least … days before, or never",
        "was not mailed about for {} or longer",
        f"coalesce({_LAST_REMINDED} <= {_AGO}, true)",
    ),
    "reminded_before": Condition(
        About.REMINDERS,
        Kind.YES_OR_NO,
        "Was mailed about before",
        "was mailed about before",
        f"({_LAST_REMINDED} IS NOT NULL) = %a::boolean",
        "was never mailed about",
    ),
    "reminders_at_least": Condition(
        About.REMINDERS,
        Kind.TIMES,
        "Reminders so far: at least …",
        "was mailed about {} or more",
        f"{_REMINDER_COUNT} >= %a::int",
    ),
    "reminders_at_most": Condition(
        About.REMINDERS,
        Kind.TIMES,
        "Reminders so far: at most …",
        "was mailed about {} at most",
        f"{_REMINDER_COUNT} <= %a::int",
    ),
}
CUSTOMER = {
    "category_is": Condition(
        About.CUSTOMER,
        Kind.CATEGORY,
        "Category is …",
        "is in the category {}",
        "lower(customer.category) = lower(%a)",
    ),
    "category_is_not": Condition(
        About.CUSTOMER,
        Kind.CATEGORY,
        "Category is not …",
        "is not in the category {}",
        "lower(customer.category) <> lower(%a)",
    ),
    "number_is": Condition(
        About.CUSTOMER, Kind.TEXT, "Customer number is …", "has the number {}", "customer.number = %a"
    ),
    "number_is_not": Condition(
        About.CUSTOMER, Kind.TEXT, "Customer number is not …", "has another number than {}", "customer.number <> %a"
    ),
    "number_begins_with": Condition(
        About.CUSTOMER,
        Kind.TEXT,
        "Customer number begins with …",
        "has a number that begins with {}",
        "starts_with(customer.number, %a)",
    ),
    "name_contains": Condition(
        About.CUSTOMER,
        Kind.TEXT,
        "Name contains …",
        "has {} in its name",
        "position(lower(%a) IN lower(customer.company_name)) > 0",
    ),
    "name_does_not_contain": Condition(
        About.CUSTOMER,
        Kind.TEXT,
        "Name does not contain …",
        "does not have {} in its name",
        "position(lower(%a) IN lower(customer.company_name)) = 0",
    ),
    "balance_at_least": Condition(
        About.CUSTOMER,
        Kind.AMOUNT,
        "Owes at least … in all",
        "owes at least {} in all",
        f"{_BALANCE} * 100 >= %a::numeric * {_UNITS}",
    ),
    "balance_at_most": Condition(
        About.CUSTOMER,
        Kind.AMOUNT,
        "Owes at most … in all",
        "owes at most {} in all",
        f"{_BALANCE} * 100 <= %a::numeric * {_UNITS}",
    ),
    "balance_between": Condition(
        About.CUSTOMER,
        Kind.TWO_AMOUNTS,
        "Owes … to … in all",
        "owes {} in all",
        f"{_BALANCE} * 100 BETWEEN %a::numeric * {_UNITS} AND %b::numeric * {_UNITS}",
    ),
    "overdue_total_at_least": Condition(
        About.CUSTOMER,
        Kind.AMOUNT,
        "Overdue in all: at least …",
        "has at least {} overdue in all",
        f"{_OVERDUE} * 100 >= %a::numeric * {_UNITS}",
    ),
    "overdue_total_at_most": Condition(
        About.CUSTOMER,
        Kind.AMOUNT,
        "Overdue in all: at most …",
        "has at most {} overdue in all",
        f"{_OVERDUE} * 100 <= %a::numeric * {_UNITS}",
    ),
    "overdue_count_at_least": Condition(
        About.CUSTOMER,
        Kind.COUNT,
        "Overdue invoices: at least …",
        "has {} or more overdue invoices",
        f"{_OVERDUE_COUNT} >= %a::int",
    ),
    "language_is": Condition(About.CUSTOMER, Kind.LANGUAGE, "Language is …", "gets mails in {}", f"{_SPOKEN} = %a"),
    "language_is_not": Condition(
        About.CUSTOMER, Kind.LANGUAGE, "Language is not …", "does not get mails in {}", f"{_SPOKEN} <> %a"
    ),
    "has_saved_method": Condition(
        About.CUSTOMER,
        Kind.YES_OR_NO,
        "Has a saved card or account",
        "has a saved card or bank account",
        f"{_HAS_METHOD} = %a::boolean",
        "has no saved card or bank account",
    ),
    "has_portal_login": Condition(
        About.CUSTOMER,
        Kind.YES_OR_NO,
        "Has a login to the portal",
        "has a login to the portal",
        f"{_HAS_LOGIN} = %a::boolean",
        "has no login to the portal",
    ),
    "last_paid_at_least": Condition(
        About.CUSTOMER,
        Kind.DAYS,
        "Last paid at least … days before, or never",
        "has not paid here for {} or longer",
        f"coalesce({_LAST_PAID} <= {_AGO}, true)",
    ),
    "last_paid_within": Condition(
        About.CUSTOMER,
        Kind.DAYS,
        "Paid within the last … days",
        "has paid here within the last {}",
        f"coalesce({_LAST_PAID} > {_AGO}, false)",
    ),
    "has_paid": Condition(
        About.CUSTOMER,
        Kind.YES_OR_NO,
        "Has paid here before",
        "has paid here before",
        f"({_LAST_PAID} IS NOT NULL) = %a::boolean",
        "has never paid here",
    ),
}
CONDITIONS: dict[str, Condition] = DUE | INVOICE | REMINDERS | CUSTOMER


def problem_of(condition: Condition, value: Any) -> str:
    """Say what is wrong with a value in a sentence, or nothing."""
    kind = condition.kind
    if kind.is_pair:
        return _problem_of_two(kind, value)
    if kind is Kind.YES_OR_NO:
        return "" if isinstance(value, bool) else "Say yes or no."
    if kind is Kind.CURRENCY:
        return "" if isinstance(value, str) and is_currency(value) else "Choose a currency."
    if kind is Kind.DATE:
        return "" if _is_day(value) else "Enter a day, such as 2026-01-31."
    if kind in (Kind.TEXT, Kind.CATEGORY, Kind.LANGUAGE):
        is_right = isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_TEXT and "\0" not in value
        return "" if is_right else f"Enter 1 to {LONGEST_TEXT} characters."
    return _problem_of_number(kind, value)


def _problem_of_two(kind: Kind, value: Any) -> str:
    if not isinstance(value, list) or len(value) != 2:
        return "Enter two values."
    single = Kind.AMOUNT if kind is Kind.TWO_AMOUNTS else Kind.DAYS
    problems = [problem for each in value if (problem := _problem_of_number(single, each))]
    if problems:
        return problems[0]
    if kind is Kind.EVERY:
        return "" if value[1] else "Leave at least 1 day between two reminders."
    return "" if value[0] <= value[1] else "The first value must not be above the second."


def _problem_of_number(kind: Kind, value: Any) -> str:
    most = {Kind.DAYS: MOST_DAYS, Kind.COUNT: MOST_COUNT, Kind.TIMES: MOST_COUNT}.get(kind, MOST_AMOUNT)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return ""
    return "Enter an amount, such as 250.00." if kind is Kind.AMOUNT else f"Enter a whole number from 0 to {most}."


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
