"""The timetable of payment methods."""

from uuid import UUID

from payorcrm.core.clock import now
from payorcrm.core.jobs import job, periodic
from payorcrm.payment_methods import remove, watch


@job()
def forget_at_processor(*, method_id: str) -> None:
    """Let the processor forget one removed method."""
    remove.forget_at_processor(method_id=UUID(method_id))


@periodic(cron="20 14 * * *")
@job()
def mail_expiring_cards(timestamp: int) -> None:
    """Tell customers of cards that expire within 30 days."""
    watch.mail_expiring_cards(now=now())


@periodic(cron="40 * * * *")
@job()
def watch_deposits(timestamp: int) -> None:
    """End verifications that nobody completed, then remind of the others."""
    watch.end_old_verifications(now=now())
    watch.remind_of_deposits(now=now())
