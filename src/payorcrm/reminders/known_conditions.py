"""The conditions that rules know: what each one asks, in words and in SQL, and what kind of value it takes.

In SQL, `invoice` and `customer` are rows, `foreseen` is what a rehearsal expects of the invoice, {day} the day that is
asked about, {currency} the currency of what is owed, and %a and %b are the values. Amounts are in hundredths of
whatever currency an invoice has, so that 100.00 means 100 dollars, 100 yen or 100 dinars.
"""

from babel.core import get_global

from payorcrm.core.money import decimals_of
from payorcrm.reminders.condition_kinds import About, Condition, Kind


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
TIMES_MAILED = """(SELECT count(*) FROM payments_paymentrequestline AS line
    JOIN reminders_reminder AS reminder ON reminder.request_id = line.request_id
    JOIN reminders_reminderrun AS run ON run.id = reminder.run_id AND run.to_address = ''
    JOIN mail_mail AS mail ON mail.id = reminder.mail_id AND mail.state IN ('queued', 'sending', 'deferred', 'sent')
    WHERE line.invoice_id = invoice.id)"""
_REMINDER_COUNT = f"({TIMES_MAILED} + coalesce(foreseen.times, 0))"
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
