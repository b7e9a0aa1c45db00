"""Where a refund is taken from: what is unapplied, then the invoices due last, unless staff named an invoice.

Older invoices stay paid as long as possible, for they are what reminders ask for first.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from payorcrm.core.money import Money
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Line, Source, post_entry
from payorcrm.payments.allocate import money_account_of
from payorcrm.payments.change_allocations import Changes, change_allocations, credit_allocations
from payorcrm.payments.models import Allocation, Payment, PaymentState, Refund


def give_back(*, payment: Payment, refund: Refund, now: datetime) -> None:
    """Take a refund that was made out of the payment, its invoices and the ledger, in the caller's transaction.

    Of a payment that the bank had sent back meanwhile nothing is left to take: that money is gone twice.
    """
    if payment.state == PaymentState.RETURNED:
        _post(payment, refund, {Account.GIVEN_BACK_TWICE: refund.amount}, now)
        return
    from_unapplied, by_invoice = planned(refund, payment)
    taken = sum(by_invoice.values())
    changes = Changes(
        {invoice_id: -amount for invoice_id, amount in by_invoice.items()}, refund.id, refund.made_by_id, refund.id
    )
    if refund.is_owed_again:
        change_allocations(payment, changes, now=now)
    else:
        credit_allocations(payment, changes, note=f"Refund {refund.reference}: {refund.reason}", now=now)
    against = Account.RECEIVABLE if refund.is_owed_again else Account.CREDITED
    _post(payment, refund, {Account.UNAPPLIED: from_unapplied, against: taken}, now)


def planned(refund: Refund, locked: Payment | None = None) -> tuple[int, dict[UUID, int]]:
    """Say how many minor units of a refund come from what is unapplied, and from each invoice, as things stand."""
    payment = locked or refund.payment
    allocations = list(Allocation.objects.filter(payment=payment).order_by("-invoice__due_on", "-invoice_id"))
    unapplied = payment.amount - payment.refunded - sum(each.amount for each in allocations)
    return _split(refund, allocations, unapplied)


def _split(refund: Refund, allocations: Sequence[Allocation], unapplied: int) -> tuple[int, dict[UUID, int]]:
    left, by_invoice = refund.amount, dict[UUID, int]()

    def take(allocation: Allocation) -> None:
        nonlocal left
        amount = min(left, allocation.amount)
        left -= amount
        if amount:
            by_invoice[allocation.invoice_id] = amount

    for allocation in allocations:
        if allocation.invoice_id == refund.invoice_id:
            take(allocation)
    from_unapplied = min(left, unapplied)
    left -= from_unapplied
    for allocation in allocations:
        if allocation.invoice_id != refund.invoice_id:
            take(allocation)
    return from_unapplied, by_invoice


def _post(payment: Payment, refund: Refund, sides: dict[Account, int], now: datetime) -> None:
    lines = [Line(account, Money(minor, refund.currency), payment.customer_id) for account, minor in sides.items()]
    post_entry(
        merchant_id=payment.merchant_id,
        kind=EntryKind.REFUND,
        postings=[*lines, Line(money_account_of(payment), -refund.amount_money())],
        source=Source("refund", refund.id),
        now=now,
    )
