"""The timetable of statements."""

from uuid import UUID

from payorcrm.core.clock import now
from payorcrm.core.jobs import enqueue_once, job, periodic
from payorcrm.statements.run_rules import merchants_due, run_statements_of


@periodic(cron="*/5 * * * *")
@job()
def run_statements_of_all(timestamp: int) -> None:
    """Let each merchant whose hour has come run on its own: what one stumbles over does not stop the others."""
    for merchant_id in merchants_due(now=now()):
        enqueue_once(run_statements_of_one, key=f"statements-{merchant_id}", merchant_id=str(merchant_id))


@job()
def run_statements_of_one(merchant_id: str) -> None:
    """Send the statements of one merchant."""
    run_statements_of(merchant_id=UUID(merchant_id), now=now())
