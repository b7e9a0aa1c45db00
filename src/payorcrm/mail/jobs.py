"""When mails are delivered: as soon as they are queued, and once a minute whatever is left.

Each merchant's own server has a job of its own, so that a slow one takes nobody else's time; workers have places apart
for these, so that many slow ones together hold up neither the installation's mails nor payments.
"""

from datetime import datetime, timedelta
from uuid import UUID

from payorcrm.core import clock
from payorcrm.core.jobs import OUTSIDE, enqueue, enqueue_once, job, periodic
from payorcrm.mail import deliver as delivery
from payorcrm.mail.models import MailSender
from payorcrm.mail.own_server import senders_with_mail
from payorcrm.mail.track import apply_event, forget_events

# One job ends after this long and makes way for others; what is left goes to the next job.
SLICE = timedelta(seconds=20)


@job(queue="mail")
def deliver() -> None:
    """Send what is due, and have merchants' own servers send theirs."""
    for sender_id in senders_with_mail(now=clock.now()):
        _deliver_own_soon(str(sender_id))
    if delivery.deliver_due(clock=clock.now, until=clock.now() + SLICE):
        enqueue(deliver)


@job(queue=OUTSIDE)
def deliver_own(sender_id: str) -> None:
    """Send what is due over one merchant's own server."""
    sender = MailSender.objects.filter(id=UUID(sender_id), uses_own_server=True).first()
    if sender and delivery.deliver_own(sender, clock=clock.now, until=clock.now() + SLICE):
        _deliver_own_soon(sender_id)


def _deliver_own_soon(sender_id: str) -> None:
    """At most one job of a server runs and one waits, however many mails there are."""
    enqueue_once(deliver_own, key=f"mail-of-{sender_id}", lock=f"mail-over-{sender_id}", sender_id=sender_id)


@periodic(cron="* * * * *")
@job(queue="mail")
def sweep_outbox(timestamp: int) -> None:
    """Send what was deferred, and what a killed worker left."""
    deliver()


@job()
def apply_mail_event(*, event_id: str) -> None:
    """Apply what a mail provider reported."""
    apply_event(event_id=UUID(event_id), now=clock.now())


@periodic(cron="23 4 * * *")
@job()
def forget_old_mail_events(timestamp: int) -> None:
    """Throw away what providers reported long ago; what followed from it stays."""
    forget_events(now=clock.now())


def deliver_soon(*, at: datetime | None = None) -> None:
    """Enqueue a delivery in the current transaction.

    Each mail gets a job of its own: a job shared with another transaction could run before this one commits.
    """
    enqueue(deliver, at=at)
