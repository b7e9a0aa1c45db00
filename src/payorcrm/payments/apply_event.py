"""What a processor tells us: kept raw, once, then applied by asking the processor itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Unavailable
from payorcrm.core.ids import uuid7
from payorcrm.core.jobs import enqueue_named
from payorcrm.gateways.base import GatewayEvent, Outcome
from payorcrm.merchants.models import GatewayAccount
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payments.models import OPEN_REFUND_STATES, Payment, ReceivedEvent, Refund
from payorcrm.payments.settle import settle
from payorcrm.payments.settle_refund import settle_refund

# A charge's first event can overtake the transaction that writes its reference down.
FORGET_STRANGERS_AFTER = timedelta(hours=1)


class PaymentNotThereYet(Unavailable):
    """An event names a charge that no payment has written down yet."""

    code = "payment_not_there_yet"
    message = "No payment knows this charge yet."


def keep_events(*, account: GatewayAccount, events: Sequence[GatewayEvent], now: datetime) -> int:
    """Store events that were not stored before and enqueue their application; return how many were new."""
    with transaction.atomic():
        rows = [_row(account, event, now) for event in events]
        ReceivedEvent.objects.bulk_create(rows, ignore_conflicts=True)
        kept = ReceivedEvent.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True)
        for event_id in kept:
            enqueue_named("payorcrm.payments.jobs.apply_one_event", event_id=str(event_id))
    return len(kept)


def apply_event(*, event_id: UUID, now: datetime) -> None:
    """Bring the event's payment, and its refunds under way, up to date. Raises PaymentNotThereYet, Unavailable."""
    event = ReceivedEvent.objects.get(id=event_id)
    payment = Payment.objects.filter(
        merchant_id=event.merchant_id, gateway=event.gateway, gateway_reference=event.charge_reference
    ).first()
    if event.charge_reference and payment is None and now - event.received_at < FORGET_STRANGERS_AFTER:
        raise PaymentNotThereYet
    if event.charge_reference and payment:
        _bring_up_to_date(payment, now)
        _bring_refunds_up_to_date(payment, now)
    ReceivedEvent.objects.filter(id=event.id).update(applied_at=now)


def fetch_missed_events(*, account_id: UUID, now: datetime) -> int:
    """Ask a processor for events whose webhooks were lost; return how many were new. Raises GatewayUnavailable."""
    account = GatewayAccount.objects.get(id=account_id)
    since = account.events_seen_at or now - timedelta(days=7)
    events = gateway_of(account).fetch_events(since)
    kept = keep_events(account=account, events=events, now=now)
    if events:
        GatewayAccount.objects.filter(id=account.id).update(events_seen_at=events[-1].occurred_at)
    return kept


def _bring_up_to_date(payment: Payment, now: datetime) -> None:
    result = gateway_of(gateway_account_of(payment.merchant_id, payment.gateway)).look_up(payment.idempotency_key)
    if result.outcome == Outcome.UNKNOWN:
        raise Unavailable
    if result.outcome != Outcome.NOT_SENT:
        settle(payment=payment, result=result, now=now)


def _bring_refunds_up_to_date(payment: Payment, now: datetime) -> None:
    for refund in Refund.objects.filter(payment=payment, state__in=OPEN_REFUND_STATES).order_by("id"):
        line = gateway_of(gateway_account_of(payment.merchant_id, payment.gateway))
        result = line.look_up_refund(refund.idempotency_key)
        if result.outcome == Outcome.UNKNOWN:
            raise Unavailable
        if result.outcome != Outcome.NOT_SENT:
            settle_refund(refund=refund, result=result, now=now)


def _row(account: GatewayAccount, event: GatewayEvent, now: datetime) -> ReceivedEvent:
    return ReceivedEvent(
        id=uuid7(),
        merchant_id=account.merchant_id,
        gateway=account.gateway,
        event_id=event.event_id,
        kind=event.kind,
        charge_reference=event.charge_reference,
        occurred_at=event.occurred_at,
        received_at=now,
        body=event.body,
    )
