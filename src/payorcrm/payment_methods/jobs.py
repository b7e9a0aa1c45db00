"""The timetable of payment methods."""

from uuid import UUID

from payorcrm.core.jobs import job
from payorcrm.payment_methods import remove


@job()
def forget_at_processor(*, method_id: str) -> None:
    """Let the processor forget one removed method."""
    remove.forget_at_processor(method_id=UUID(method_id))
