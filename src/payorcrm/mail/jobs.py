"""When mails are delivered: as soon as they are queued, and once a minute whatever is left."""

from datetime import datetime, timedelta

from payorcrm.core import clock
from payorcrm.core.jobs import enqueue, job, periodic
from payorcrm.mail.deliver import deliver_due

# One job ends after this long and makes way for others; what is left goes to the next job.
SLICE = timedelta(seconds=20)


@job(queue="mail")
def deliver() -> None:
    """Send what is due."""
    if deliver_due(clock=clock.now, until=clock.now() + SLICE):
        enqueue(deliver)


@periodic(cron="* * * * *")
@job(queue="mail")
def sweep_outbox(timestamp: int) -> None:
    """Send what was deferred, and what a killed worker left."""
    deliver()


def deliver_soon(*, at: datetime | None = None) -> None:
    """Enqueue a delivery in the current transaction.

    Each mail gets a job of its own: a job shared with another transaction could run before this one commits.
    """
    enqueue(deliver, at=at)
