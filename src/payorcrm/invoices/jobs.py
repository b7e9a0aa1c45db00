"""The timetable of invoices."""

from uuid import UUID

from payorcrm.core.clock import now
from payorcrm.core.jobs import job
from payorcrm.invoices import answer_registration


@job()
def answer_registration_ask(*, ask_id: str) -> None:
    """Answer one registration."""
    answer_registration.answer_registration_ask(UUID(ask_id), now=now())
