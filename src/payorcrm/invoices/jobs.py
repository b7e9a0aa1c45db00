"""The timetable of invoices."""

from uuid import UUID

from payorcrm.core.clock import now
from payorcrm.core.jobs import job, periodic
from payorcrm.invoices import answer_registration
from payorcrm.invoices.owed import forget_notes


@job()
def answer_registration_ask(*, ask_id: str) -> None:
    """Answer one registration."""
    answer_registration.answer_registration_ask(UUID(ask_id), now=now())


@periodic(cron="17 * * * *")
@job()
def forget_old_notes(timestamp: int) -> None:
    """Throw away notes of changes that no kept sum is compared with any more."""
    forget_notes()
