"""What mail providers report of mails that are out: kept once, then applied. The states of a mail only go forward."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Least

from payorcrm.core.errors import Unavailable
from payorcrm.core.ids import uuid7
from payorcrm.core.jobs import enqueue_named
from payorcrm.mail.models import Mail, MailEvent, MailEventKind, MailState, SuppressionReason
from payorcrm.mail.suppress import suppress

# Workers record what they sent some mails later; a provider may be quicker than that.
RECORDED_WITHIN = timedelta(hours=1)
# A provider's clock may be behind ours by so much.
CLOCKS_DIFFER = timedelta(minutes=5)
KEPT_FOR = timedelta(days=90)
_MARKS = {
    MailEventKind.DELIVERED: "delivered_at",
    MailEventKind.OPENED: "opened_at",
    MailEventKind.CLICKED: "clicked_at",
    MailEventKind.COMPLAINED: "complained_at",
}
_BOUNCES = (MailEventKind.BOUNCED, MailEventKind.SOFT_BOUNCED)

Follower = Callable[[Mail, datetime], None]
_after_unsubscribing: list[Follower] = []


class MailNotRecordedYet(Unavailable):
    """A mail came back before our worker has written down that it was sent."""

    code = "mail_not_recorded_yet"
    message = "This mail is still being sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One event of a provider, in our words."""

    event_id: str
    kind: MailEventKind
    mail_id: UUID | None
    recipient: str
    reason: str
    occurred_at: datetime
    body: str


def after_unsubscribing(function: Follower) -> Follower:
    """Register what follows when somebody unsubscribed at the provider: `(mail, now)`, in the same transaction."""
    _after_unsubscribing.append(function)
    return function


def keep_mail_events(*, provider: str, events: Sequence[Reported], now: datetime) -> int:
    """Store events that were not stored before and enqueue their application; return how many were new."""
    rows = [
        MailEvent(
            id=uuid7(),
            provider=provider,
            event_id=event.event_id[:100],
            kind=event.kind,
            mail_id=event.mail_id,
            recipient=event.recipient[:320],
            reason=event.reason,
            # What has not happened yet would overrule what people do meanwhile.
            occurred_at=min(event.occurred_at, now),
            received_at=now,
            body=event.body,
        )
        for event in events
    ]
    with transaction.atomic():
        MailEvent.objects.bulk_create(rows, ignore_conflicts=True)
        kept = MailEvent.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True)
        for event_id in kept:
            enqueue_named("payorcrm.mail.jobs.apply_mail_event", event_id=str(event_id))
        return len(kept)


def apply_event(*, event_id: UUID, now: datetime) -> None:
    """Write down what an event says of its mail and do what follows; a second call does nothing.

    An event about no mail of ours, or about an address that the mail did not go to, changes nothing.
    Raises MailNotRecordedYet.
    """
    with transaction.atomic():
        event = MailEvent.objects.select_for_update().get(id=event_id)
        if event.applied_at:
            return
        mail = Mail.objects.select_for_update(no_key=True).filter(id=event.mail_id).first() if event.mail_id else None
        if mail and _is_among(event.recipient, mail):
            _apply(event, mail, now)
        MailEvent.objects.filter(id=event.id).update(applied_at=now)


def forget_events(*, now: datetime) -> None:
    """Delete events that were applied long ago; who opened what from where is nobody's business for ever."""
    MailEvent.objects.filter(received_at__lt=now - KEPT_FOR, applied_at__isnull=False).delete()


def _is_among(recipient: str, mail: Mail) -> bool:
    addresses = {each.lower() for each in (mail.to_address, *mail.also_to, *mail.cc)}
    return not recipient or recipient.lower() in addresses


def _apply(event: MailEvent, mail: Mail, now: datetime) -> None:
    kind = MailEventKind(event.kind)
    address = event.recipient or mail.to_address
    if mark := _MARKS.get(kind):
        # The first time counts, in whatever order the reports come.
        Mail.objects.filter(id=mail.id).update(**{mark: Least(Coalesce(F(mark), event.occurred_at), event.occurred_at)})
    if kind in _BOUNCES:
        _bounce(event, mail, address, now)
    if kind == MailEventKind.COMPLAINED:
        note = event.reason
        suppress(mail=mail, address=address, reason=SuppressionReason.COMPLAINED, note=note, at=event.occurred_at)
    if kind == MailEventKind.UNSUBSCRIBED:
        for follow in _after_unsubscribing:
            follow(mail, now)


def _bounce(event: MailEvent, mail: Mail, address: str, now: datetime) -> None:
    if mail.state == MailState.SENDING and now - event.received_at < RECORDED_WITHIN:
        raise MailNotRecordedYet
    if address.lower() == mail.to_address.lower() and not _is_of_an_earlier_try(event, mail):
        words = event.reason or MailEventKind(event.kind).label
        sent = Q(id=mail.id, state=MailState.SENT)
        Mail.objects.filter(sent).update(state=MailState.BOUNCED, last_error=f"It came back: {words}"[:2000])
    if event.kind == MailEventKind.BOUNCED:
        note, at = event.reason, event.occurred_at
        suppress(mail=mail, address=address, reason=SuppressionReason.BOUNCED, note=note, at=at)


def _is_of_an_earlier_try(event: MailEvent, mail: Mail) -> bool:
    """Say whether the mail was queued again after it had come back."""
    return event.occurred_at + CLOCKS_DIFFER < mail.queued_at
