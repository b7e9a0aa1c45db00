"""Where a refund is taken from: what is unapplied, then the invoices due last, unless staff named an invoice.

Older invoices stay paid as long as possible, for they are what reminders ask for first. It is decided when the refund
is made: refunds that arrive in another order than they were made in take what each of them set aside.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from payorcrm.core.money import Money
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Line, Source, post_entry
from payorcrm.payments.allocate import money_account_of
from payorcrm.payments.change_allocations import Changes, change_allocations, credit_allocations
from payorcrm.payments.models import OPEN_REFUND_STATES, Allocation, Payment, PaymentState, Refund, RefundPart


def give_back(*, payment: Payment, refund: Refund, now: datetime) -> None:
    """Take a refund that was made out of the payment, its invoices and the ledger, in the caller's transaction.

    Of a payment that the bank had sent back meanwhile nothing is left to take: that money is gone twice.
    """
    if payment.state == PaymentState.RETURNED:
        _post(payment, refund, {Account.GIVEN_BACK_TWICE: refund.amount}, now)
        return
    by_invoice = parts_of(refund)
    taken = sum(by_invoice.values())
    changes = Changes(
        {invoice_id: -amount for invoice_id, amount in by_invoice.items()}, refund.id, refund.made_by_id, refund.id
    )
    if refund.is_owed_again:
        change_allocations(payment, changes, now=now)
    else:
        credit_allocations(payment, changes, note=f"Refund {refund.reference}: {refund.reason}", now=now)
    against = Account.RECEIVABLE if refund.is_owed_again else Account.CREDITED
    _post(payment, refund, {Account.UNAPPLIED: refund.amount - taken, against: taken}, now)


def set_aside(payment: Payment, refund: Refund) -> None:
    """Set aside what a new refund of a locked payment takes, from what no other refund under way has set aside."""
    held, unapplied = Counter[UUID](), payment.amount - payment.refunded
    for other in Refund.objects.filter(payment=payment, state__in=OPEN_REFUND_STATES).exclude(id=refund.id):
        parts = parts_of(other)
        held.update(parts)
        unapplied -= other.amount - sum(parts.values())
    allocations = list(Allocation.objects.filter(payment=payment).order_by("-invoice__due_on", "-invoice_id"))
    unapplied -= sum(each.amount for each in allocations)
    free = {each.invoice_id: each.amount - held[each.invoice_id] for each in allocations}
    RefundPart.objects.bulk_create(
        RefundPart(refund=refund, invoice_id=invoice_id, amount=amount)
        for invoice_id, amount in _split(refund, free, unapplied).items()
    )


def parts_of(refund: Refund) -> dict[UUID, int]:
    """Return how many minor units a refund takes from each invoice; the rest of it is of what was unapplied."""
    return dict(refund.parts.values_list("invoice_id", "amount"))


def _split(refund: Refund, free: Mapping[UUID, int], unapplied: int) -> dict[UUID, int]:
    """Take the named invoice first, then what is unapplied, then the others in their order."""
    named = [(refund.invoice_id, free[refund.invoice_id])] if refund.invoice_id else []
    others = [(invoice_id, most) for invoice_id, most in free.items() if invoice_id != refund.invoice_id]
    left, by_invoice = refund.amount, dict[UUID, int]()
    for invoice_id, most in [*named, (None, unapplied), *others]:
        amount = min(left, most)
        left -= amount
        if invoice_id and amount:
            by_invoice[invoice_id] = amount
    return by_invoice


def _post(payment: Payment, refund: Refund, sides: dict[Account, int], now: datetime) -> None:
    lines = [Line(account, Money(minor, refund.currency), payment.customer_id) for account, minor in sides.items()]
    post_entry(
        merchant_id=payment.merchant_id,
        kind=EntryKind.REFUND,
        postings=[*lines, Line(money_account_of(payment), -refund.amount_money())],
        source=Source("refund", refund.id),
        now=now,
    )
