"""Saying anew which invoices a payment pays: unapplied money is applied, and an amount moves from one to another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.ids import uuid7
from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Line, Source, post_entry
from payorcrm.payments.change_allocations import Changes, change_allocations, lock_payment
from payorcrm.payments.models import Allocation, Payment, PaymentState


class CannotReallocate(Refused):
    """The payment has not arrived, or is being refunded."""

    code: ClassVar[str] = "cannot_reallocate"


class AppliedMeanwhile(Refused):
    """Somebody applied the payment otherwise after this page was drawn."""

    code: ClassVar[str] = "applied_meanwhile"
    message = "Nothing was changed just now: somebody applied this payment otherwise meanwhile. Please look again."


class PartTooLarge(Refused):
    """More was to go to invoices than the payment has, or to one invoice than can be paid of it."""

    code: ClassVar[str] = "part_too_large"


@dataclass(frozen=True, slots=True)
class Wish:
    """How many minor units of a payment each invoice is to get; those not named keep what they have.

    `seen` is `fingerprint_of` the payment when staff looked.
    """

    by_invoice: Mapping[UUID, int]
    seen: str
    made_by_id: UUID | None = None


def reallocate(*, payment_id: UUID, wish: Wish, now: datetime) -> Payment:
    """Let a payment pay what staff wish, in invoices and ledger.

    Raises CannotReallocate, AppliedMeanwhile, PartTooLarge.
    """
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if why_not := why_not_reallocatable(payment):
            raise CannotReallocate(why_not)
        if wish.seen != fingerprint_of(payment):
            raise AppliedMeanwhile
        changes = _changes(payment, wish)
        if changes.by_invoice:
            change_allocations(payment, changes, now=now)
            _post(payment, changes, now)
    return payment


def why_not_reallocatable(payment: Payment) -> str:
    """Say why a payment cannot be applied otherwise now; empty if it can."""
    if payment.state != PaymentState.SUCCEEDED:
        return "Only a payment that has arrived can be applied to other invoices."
    if payment.refunding:
        return f"A refund of {payment.refunding_money()} is under way. Please wait until it has arrived."
    return ""


def fingerprint_of(payment: Payment) -> str:
    """Return a word that changes whenever the payment is applied otherwise or refunded."""
    last = payment.allocation_changes.order_by("-at", "-id").values_list("id", flat=True).first()
    return f"{last or ''}:{payment.refunded}:{payment.refunding}"


def _changes(payment: Payment, wish: Wish) -> Changes:
    now_allocated = dict(Allocation.objects.filter(payment=payment).values_list("invoice_id", "amount"))
    changes = {
        invoice_id: amount - now_allocated.get(invoice_id, 0)
        for invoice_id, amount in wish.by_invoice.items()
        if amount != now_allocated.get(invoice_id, 0)
    }
    left = payment.amount - payment.refunded - sum(now_allocated.values()) - sum(changes.values())
    if left < 0:
        raise PartTooLarge(
            f"Nothing was changed: the parts are {Money(-left, payment.currency)} more than the payment has."
        )
    _check_invoices(payment, changes)
    return Changes(changes, uuid7(), wish.made_by_id)


def _check_invoices(payment: Payment, changes: Mapping[UUID, int]) -> None:
    rows = Invoice.objects.select_for_update().filter(
        id__in=changes, customer_id=payment.customer_id, currency=payment.currency
    )
    invoices = {invoice.id: invoice for invoice in rows.order_by("id")}
    for invoice_id, change in changes.items():
        invoice = invoices.get(invoice_id)
        if invoice is None:
            raise PartTooLarge("Nothing was changed: an invoice is not this customer's any more. Please look again.")
        if change > 0 and (invoice.status != "open" or change > invoice.payable_money().minor):
            raise PartTooLarge(f"Nothing was changed: more than is owed on invoice {invoice.number} was to be paid.")


def _post(payment: Payment, changes: Changes, now: datetime) -> None:
    more = sum(change for change in changes.by_invoice.values() if change > 0)
    less = -sum(change for change in changes.by_invoice.values() if change < 0)
    sides = [(Account.RECEIVABLE, less), (Account.RECEIVABLE, -more), (Account.UNAPPLIED, more - less)]
    post_entry(
        merchant_id=payment.merchant_id,
        kind=EntryKind.ALLOCATION_MOVED,
        postings=[Line(account, Money(minor, payment.currency), payment.customer_id) for account, minor in sides],
        source=Source("allocation_change", changes.batch),
        now=now,
    )
