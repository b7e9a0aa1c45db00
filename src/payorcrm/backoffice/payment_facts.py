"""All that is known of one payment: what it paid, what came back, who agreed to it, and what the books say."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payorcrm.core.money import Money
from payorcrm.ledger.journal import JournalLine, entries_of
from payorcrm.mail.models import Mail
from payorcrm.payments.models import (
    Allocation,
    AllocationChange,
    Confirmation,
    Payment,
    PaymentEvent,
    ReceivedEvent,
    Refund,
)
from payorcrm.payments.queries import unapplied_of

# Of each list; more than anybody looks through, and a page stays a page.
MOST = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the time line: when, its state for the dot, words, and a remark."""

    at: datetime
    state: str
    words: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """What the page of a payment shows besides the payment."""

    allocations: list[Allocation]
    hidden_count: int
    unapplied: Money
    refunds: list[Refund]
    steps: list[Step]
    attempts: list[Payment]
    events: list[ReceivedEvent]
    entries: list[JournalLine]
    confirmation: Confirmation | None
    mails: list[Mail]


def facts_of(payment: Payment) -> PaymentFacts:
    """Collect what is known of a payment."""
    rows = Allocation.objects.filter(payment=payment).select_related("invoice")
    allocations = list(rows.order_by("invoice__due_on", "invoice__number"))
    refunds = list(
        Refund.objects.filter(payment=payment).select_related("made_by", "invoice").order_by("-submitted_at")
    )
    changes = list(
        AllocationChange.objects.filter(payment=payment).select_related("invoice", "made_by", "refund").order_by("at")
    )
    confirmation = _confirmation_of(payment)
    return PaymentFacts(
        allocations=allocations[:MOST],
        hidden_count=max(0, len(allocations) - MOST),
        unapplied=unapplied_of(payment, allocations),
        refunds=refunds,
        steps=_steps(payment, refunds, changes),
        attempts=_attempts_of(payment),
        events=_events_of(payment),
        entries=_entries_of(payment, refunds, changes),
        confirmation=confirmation,
        mails=_mails_about(payment, refunds, confirmation),
    )


def _steps(payment: Payment, refunds: list[Refund], changes: list[AllocationChange]) -> list[Step]:
    """Return the time line, the latest first; what happened at one moment stands in the order of its causes."""
    events = PaymentEvent.objects.filter(payment=payment).order_by("-at", "-id")[:MOST]
    asked = [_asked(refund) for refund in refunds[::-1]]
    moved = [_step_of(change) for change in changes[-MOST:]]
    answered = [_answered(refund) for refund in refunds[::-1] if refund.settled_at]
    noted = [_noted(event) for event in reversed(events)]
    return sorted([*asked, *moved, *answered, *noted], key=lambda step: step.at)[::-1]


def _noted(event: PaymentEvent) -> Step:
    words = str(event.get_state_display())
    return Step(event.at, event.state, words, "" if event.note == words else event.note)


def _asked(refund: Refund) -> Step:
    words = f"Refund of {refund.amount_money()} asked for by {refund.made_by or 'somebody who is gone'}"
    return Step(refund.submitted_at, "submitting", words, refund.reason)


def _answered(refund: Refund) -> Step:
    words = f"Refund of {refund.amount_money()}: {str(refund.get_state_display()).lower()}"
    return Step(refund.settled_at or refund.submitted_at, refund.state, words, refund.message)


def _step_of(change: AllocationChange) -> Step:
    direction = "Applied to" if change.change > 0 else "Taken from"
    cause = f"by refund {change.refund}" if change.refund else f"by {change.made_by or 'somebody who is gone'}"
    return Step(change.at, "moved", f"{direction} invoice {change.invoice}: {change.change_money()}", cause)


def _attempts_of(payment: Payment) -> list[Payment]:
    """Return the other payments that were tried for the same request."""
    if payment.request_id is None:
        return []
    others = Payment.objects.filter(request_id=payment.request_id, merchant_id=payment.merchant_id)
    return list(others.exclude(id=payment.id).select_related("method").order_by("-submitted_at", "-id")[:MOST])


def _events_of(payment: Payment) -> list[ReceivedEvent]:
    if not payment.gateway_reference:
        return []
    events = ReceivedEvent.objects.filter(
        merchant_id=payment.merchant_id, gateway=payment.gateway, charge_reference=payment.gateway_reference
    )
    return list(events.order_by("-occurred_at")[:MOST])


def _entries_of(payment: Payment, refunds: list[Refund], changes: list[AllocationChange]) -> list[JournalLine]:
    batches = {change.batch for change in changes if change.refund_id is None}
    sources: dict[str, list[UUID]] = {
        "payment": [payment.id],
        "refund": [refund.id for refund in refunds],
        "allocation_change": list(batches),
    }
    return entries_of(sources)


def _confirmation_of(payment: Payment) -> Confirmation | None:
    kind, _, name = payment.idempotency_key.partition(":")
    if kind != "confirmation":
        return None
    try:
        return Confirmation.objects.filter(id=UUID(name), merchant_id=payment.merchant_id).first()
    except ValueError:
        return None


def _mails_about(payment: Payment, refunds: list[Refund], confirmation: Confirmation | None) -> list[Mail]:
    about = [payment.id, *(refund.id for refund in refunds), *([confirmation.id] if confirmation else [])]
    mails = Mail.objects.filter(merchant_id=payment.merchant_id, customer_id=payment.customer_id, about_id__in=about)
    return list(mails.order_by("-queued_at", "-id")[:MOST])
