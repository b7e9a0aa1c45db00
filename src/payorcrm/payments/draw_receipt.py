"""Draws the receipt of a payment, in the active language. It says "paid" of money that has arrived, and of no other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payorcrm.core.money import Money
from payorcrm.core.typeset import MOST_ROWS_HERE, typeset, typeset_long
from payorcrm.core.write_dates import write_day, write_long_day, write_moment
from payorcrm.mail.drafts import Attachment
from payorcrm.merchants.letterhead import paper_for
from payorcrm.payments.models import Allocation, Payment, PaymentState
from payorcrm.payments.queries import allocations_of
from payorcrm.payments.wording import decline_in_words, return_in_words

MOST_INVOICES = 1_000


def receipt_pdf(payment: Payment) -> bytes:
    """Return what a payment's receipt says today: paid, submitted only, returned… Raises DocumentTakesTooLong."""
    return draw_receipt(payment, allocations_of(payment.id))


def draw_receipt(payment: Payment, allocations: Sequence[Allocation]) -> bytes:
    """Draw a receipt from rows that are at hand, without asking the database."""
    draw = typeset_long if len(allocations) > MOST_ROWS_HERE else typeset
    return draw("payments/receipt.typ", _values(payment, allocations))


def receipt_file(payment: Payment, allocations: Sequence[Allocation]) -> Attachment:
    """Return the receipt as it goes with a mail."""
    return Attachment(f"{receipt_name(payment)}.pdf", "application/pdf", draw_receipt(payment, allocations))


def receipt_name(payment: Payment) -> str:
    """Return what the file is called, without its ending; only what was paid is called a receipt."""
    words = _("Receipt %(reference)s") if payment.state == PaymentState.SUCCEEDED else _("Payment %(reference)s")
    return words % {"reference": payment.reference}


def _values(payment: Payment, allocations: Sequence[Allocation]) -> dict[str, Any]:
    title = _("Payment %(reference)s") % {"reference": payment.reference}
    listed = allocations[:MOST_INVOICES]
    return paper_for(payment.merchant, title) | {
        "heading": _heading(payment),
        "amount_words": _amount_words(payment),
        "amount": str(payment.amount_money()),
        "is_paid": payment.state == PaymentState.SUCCEEDED,
        "status": _status(payment),
        "facts": [_parties(payment), _facts(payment)],
        "rows_heading": _rows_heading(payment),
        "columns": [
            {"words": _("Invoice"), "wide": True, "number": False},
            {"words": _("Due"), "wide": False, "number": False},
            {"words": _("Amount"), "wide": False, "number": True},
        ],
        "rows": [[row.invoice.number, write_day(row.invoice.due_on), str(row.amount_money())] for row in listed],
        "sums": _sums(payment, allocations),
        "cut": _cut(allocations[MOST_INVOICES:], payment.currency),
        "mandate": _mandate(payment),
    }


def _heading(payment: Payment) -> str:
    headings = {
        PaymentState.SUBMITTING: _("Payment"),
        PaymentState.PENDING: _("Payment submitted"),
        PaymentState.SUCCEEDED: _("Receipt"),
        PaymentState.DECLINED: _("Payment declined"),
        PaymentState.FAILED: _("Payment not made"),
        PaymentState.RETURNED: _("Payment returned"),
        PaymentState.REFUNDED: _("Payment refunded"),
        PaymentState.DISPUTED: _("Payment disputed"),
        PaymentState.CANCELED: _("Payment canceled"),
        PaymentState.REVERSED: _("Payment reversed"),
    }
    return headings[PaymentState(payment.state)]


def _amount_words(payment: Payment) -> str:
    words = {
        PaymentState.SUBMITTING: _("Not charged yet"),
        PaymentState.PENDING: _("Submitted, not cleared yet"),
        PaymentState.SUCCEEDED: _("Paid"),
        PaymentState.DECLINED: _("Not charged"),
        PaymentState.FAILED: _("Not charged"),
        PaymentState.RETURNED: _("Returned, not paid"),
        PaymentState.REFUNDED: _("Refunded"),
        PaymentState.DISPUTED: _("Disputed"),
        PaymentState.CANCELED: _("Canceled, nothing was taken"),
        PaymentState.REVERSED: _("Reversed"),
    }
    return words[PaymentState(payment.state)]


def _status(payment: Payment) -> str:
    state = PaymentState(payment.state)
    if state == PaymentState.PENDING:
        return _pending(payment)
    if state == PaymentState.RETURNED:
        return _("The bank sent this payment back because %(reason)s (%(code)s). The invoices are owed again.") % {
            "reason": return_in_words(payment),
            "code": payment.return_code,
        }
    if state in (PaymentState.DECLINED, PaymentState.FAILED):
        return _("Nothing was charged. %(reason)s") % {"reason": decline_in_words(payment)}
    if state == PaymentState.SUBMITTING:
        return _("The bank has not answered yet. This is no proof of payment.")
    if state == PaymentState.REFUNDED:
        return _("The money was given back.")
    if state == PaymentState.DISPUTED:
        return _("The bank is looking into this payment.")
    if state == PaymentState.CANCELED:
        return _("The payment was canceled before the bank had it. The invoices are owed as before.")
    if state == PaymentState.REVERSED:
        return _("The money did not arrive, or was recorded by mistake. The invoices are owed again.")
    if payment.refunded:
        return _("%(amount)s of this payment was given back.") % {"amount": payment.refunded_money()}
    return ""


def _pending(payment: Payment) -> str:
    if payment.expected_on:
        return _("Submitted, not cleared yet. The money is expected to clear by %(day)s.") % {
            "day": write_long_day(payment.expected_on)
        }
    return _("Submitted, not cleared yet. The money clears within a few business days.")


def _parties(payment: Payment) -> list[list[Any]]:
    customer = payment.customer
    return [
        [_("From"), [customer.company_name, *customer.address.splitlines()]],
        [_("Customer number"), [customer.number]],
        [_("To"), [payment.merchant.name]],
    ]


def _facts(payment: Payment) -> list[list[Any]]:
    holder = payment.method.holder_name if payment.method else ""
    method = [payment.way(), *([holder] if holder else [])]
    facts: list[list[Any]] = [
        [_("Reference"), [payment.reference]],
        _day(payment),
    ]
    if payment.state == PaymentState.SUCCEEDED and payment.settled_at and payment.method:
        facts.append([_("Paid on") if payment.method.is_card() else _("Cleared on"), [_settled(payment)]])
    if payment.state == PaymentState.RETURNED and payment.returned_at:
        facts.append([_("Returned on"), [_moment(payment, payment.returned_at)]])
    return [*facts, [_("Method"), method]]


def _day(payment: Payment) -> list[Any]:
    if payment.received_on:
        return [_("Received on"), [write_long_day(payment.received_on)]]
    return [_("Submitted"), [_moment(payment, payment.submitted_at)]]


def _settled(payment: Payment) -> str:
    assert payment.settled_at
    return _moment(payment, payment.settled_at)


def _moment(payment: Payment, moment: datetime) -> str:
    return write_moment(moment.astimezone(ZoneInfo(payment.merchant.time_zone)))


def _rows_heading(payment: Payment) -> str:
    if payment.state == PaymentState.SUCCEEDED:
        return _("Invoices paid")
    return _("Invoices of this payment")


def _sums(payment: Payment, allocations: Sequence[Allocation]) -> list[list[str]]:
    allocated = sum(row.amount for row in allocations)
    on_account = Money(payment.amount - payment.refunded - allocated, payment.currency)
    rest = [[_("Not applied to an invoice"), str(on_account)]] if on_account.minor > 0 else []
    refunded = [[_("Given back"), str(payment.refunded_money())]] if payment.refunded else []
    return [*rest, *refunded, [_("Total"), str(payment.amount_money())]]


def _cut(left_out: Sequence[Allocation], currency: str) -> str:
    if not left_out:
        return ""
    amount = Money(sum(row.amount for row in left_out), currency)
    return ngettext(
        "%(count)s more invoice of %(amount)s is not listed here.",
        "%(count)s more invoices of %(amount)s in all are not listed here.",
        len(left_out),
    ) % {"count": len(left_out), "amount": amount}


def _mandate(payment: Payment) -> dict[str, Any]:
    mandate = payment.mandate
    if mandate is None:
        return {"heading": "", "paragraphs": [], "words": ""}
    words = _("Reference of the authorization: %(reference)s. Given on %(moment)s.")
    return {
        "heading": _("Authorization"),
        "paragraphs": mandate.text.split("\n\n"),
        "words": words % {"reference": mandate.reference, "moment": _moment(payment, mandate.accepted_at)},
    }
