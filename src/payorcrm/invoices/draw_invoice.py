"""Draws an invoice as a PDF, in the active language. A PDF that the merchant uploaded is returned as it is."""

from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from django.conf import settings
from django.utils.translation import gettext as _

from payorcrm.core.language import babel_locale
from payorcrm.core.money import Money
from payorcrm.core.typeset import MOST_ROWS_HERE, typeset, typeset_long
from payorcrm.core.write_dates import write_day
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice, InvoiceDocument, InvoiceLine, InvoiceStatus
from payorcrm.merchants.letterhead import paper_for


def invoice_pdf(invoice: Invoice) -> bytes:
    """Return the uploaded PDF of an invoice, else one drawn from our books."""
    uploaded = InvoiceDocument.objects.filter(invoice=invoice).values_list("pdf", flat=True).first()
    return bytes(uploaded) if uploaded else draw_invoice(invoice)


def draw_invoice(invoice: Invoice) -> bytes:
    """Draw an invoice with its lines and what is still owed on it."""
    lines = list(invoice.lines.order_by("position"))
    draw = typeset_long if len(lines) > MOST_ROWS_HERE else typeset
    return draw("invoices/invoice.typ", _values(invoice, lines))


def party_facts(words: str, customer: Customer) -> list[list[Any]]:
    """Return a customer as a document names it: the company with its address, and its number."""
    return [
        [words, [customer.company_name, *customer.address.splitlines()]],
        [_("Customer number"), [customer.number]],
    ]


def pay_online(slug: str) -> dict[str, str]:
    """Return how to pay: the portal's address, as text and as a link."""
    address = f"{settings.PUBLIC_URL}/c/{slug}/"
    return {
        "heading": _("How to pay"),
        "words": _("Pay online by card or bank account at"),
        "address": address,
        "shown": address.partition("://")[2].rstrip("/"),
    }


def _values(invoice: Invoice, lines: list[InvoiceLine]) -> dict[str, Any]:
    title = _("Invoice %(number)s") % {"number": invoice.number}
    owes = invoice.status == InvoiceStatus.OPEN
    nothing = {"heading": "", "words": "", "address": "", "shown": ""}
    return paper_for(invoice.merchant, title) | {
        "heading": title,
        "due_words": _("Due %(day)s") % {"day": write_day(invoice.due_on)} if owes else "",
        "due": str(invoice.balance_money()) if owes else "",
        "to": party_facts(_("Bill to"), invoice.customer),
        "facts": [
            [_("Invoice number"), [invoice.number]],
            [_("Issued"), [write_day(invoice.issued_on)]],
            [_("Due"), [write_day(invoice.due_on)]],
        ],
        "notice": _notice(invoice),
        "columns": _columns(lines),
        "rows": [_row(line, invoice.currency, has_details=_has_details(lines)) for line in lines]
        or [[title, str(invoice.total_money())]],
        "sums": _sums(invoice),
        "pay": pay_online(invoice.merchant.slug) if owes and invoice.payable_money() else nothing,
    }


def _notice(invoice: Invoice) -> str:
    if invoice.status == InvoiceStatus.DRAFT:
        return _("This is a draft. It has not been issued, and nothing is owed for it yet.")
    if invoice.status == InvoiceStatus.VOID:
        return _("This invoice was voided. Nothing is owed for it.")
    if invoice.status == InvoiceStatus.WRITTEN_OFF:
        return _("This invoice was closed. Nothing more is asked for it.")
    if invoice.is_processing():
        return _("A payment of %(amount)s is being processed. It is not taken off the balance until it clears.") % {
            "amount": invoice.in_flight_money()
        }
    return _("Paid in full. Thank you.") if invoice.status == InvoiceStatus.PAID else ""


def _has_details(lines: list[InvoiceLine]) -> bool:
    return any(line.quantity is not None or line.unit_price is not None for line in lines)


def _columns(lines: list[InvoiceLine]) -> list[dict[str, Any]]:
    details = [
        {"words": _("Quantity"), "wide": False, "number": True},
        {"words": _("Unit price"), "wide": False, "number": True},
    ]
    return [
        {"words": _("Description"), "wide": True, "number": False},
        *(details if _has_details(lines) else []),
        {"words": _("Amount"), "wide": False, "number": True},
    ]


def _row(line: InvoiceLine, currency: str, *, has_details: bool) -> list[str]:
    quantity = "" if line.quantity is None else _number(line.quantity)
    price = "" if line.unit_price is None else str(Money(line.unit_price, currency))
    details = [quantity, price] if has_details else []
    return [line.description, *details, str(Money(line.amount, currency))]


def _number(quantity: Decimal) -> str:
    return format_decimal(quantity.normalize(), format="#,##0.###", locale=babel_locale())


def _sums(invoice: Invoice) -> list[list[str]]:
    total = [_("Total"), str(invoice.total_money())]
    if invoice.status in (InvoiceStatus.DRAFT, InvoiceStatus.VOID, InvoiceStatus.WRITTEN_OFF):
        return [total]
    paid = Money(invoice.total - invoice.balance, invoice.currency)
    return [total, [_("Paid or credited so far"), str(-paid)], [_("Balance"), str(invoice.balance_money())]]
