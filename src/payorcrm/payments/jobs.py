"""The timetable of payments."""

from contextlib import suppress
from uuid import UUID

from payorcrm.core.clock import now
from payorcrm.core.jobs import enqueue_once, job, periodic
from payorcrm.merchants.models import GatewayAccount
from payorcrm.payments.apply_event import apply_event, fetch_missed_events
from payorcrm.payments.connect_gateway import accounts_without_id, learn_id
from payorcrm.payments.resolve import StillUnknown, resolve, resolve_refund, unanswered_payments, unanswered_refunds


@job()
def resolve_payment(*, payment_id: str) -> None:
    """Find out what became of one payment; `resolve_unanswered` asks again for one that is still unknown."""
    with suppress(StillUnknown):
        resolve(payment_id=UUID(payment_id), now=now())


@job()
def resolve_one_refund(*, refund_id: str) -> None:
    """Find out what became of one refund; `resolve_unanswered` asks again for one that is still unknown."""
    with suppress(StillUnknown):
        resolve_refund(refund_id=UUID(refund_id), now=now())


@job()
def apply_one_event(*, event_id: str) -> None:
    """Apply one event of a processor."""
    apply_event(event_id=UUID(event_id), now=now())


@job()
def fetch_events_of(*, account_id: str) -> None:
    """Ask one processor for events whose webhooks were lost."""
    fetch_missed_events(account_id=UUID(account_id), now=now())


@periodic(cron="* * * * * */10")
@job()
def resolve_unanswered(timestamp: int) -> None:
    """Look for payments and refunds whose answer was lost."""
    for payment_id in unanswered_payments(now=now()):
        enqueue_once(resolve_payment, key=f"resolve {payment_id}", payment_id=str(payment_id))
    for refund_id in unanswered_refunds(now=now()):
        enqueue_once(resolve_one_refund, key=f"refund {refund_id}", refund_id=str(refund_id))


@job()
def learn_id_of(*, account_id: str) -> None:
    """Ask one processor which account its keys open."""
    learn_id(account_id=UUID(account_id))


@periodic(cron="*/5 * * * *")
@job()
def learn_ids(timestamp: int) -> None:
    """Look for connections from before ids of accounts were kept; each is asked until the processor has answered."""
    for account_id in accounts_without_id():
        enqueue_once(learn_id_of, key=f"id {account_id}", account_id=str(account_id))


@periodic(cron="*/5 * * * *")
@job()
def fetch_all_events(timestamp: int) -> None:
    """Ask every processor for events whose webhooks were lost."""
    for account_id in GatewayAccount.objects.values_list("id", flat=True):
        enqueue_once(fetch_events_of, key=f"events {account_id}", account_id=str(account_id))
