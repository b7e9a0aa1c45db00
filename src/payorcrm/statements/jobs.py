"""The timetable of statements."""

from payorcrm.core.clock import now
from payorcrm.core.jobs import job, periodic
from payorcrm.statements.run_rules import run_due_statements


@periodic(cron="*/5 * * * *")
@job()
def run_statements_of_all(timestamp: int) -> None:
    """Send the statements whose day and hour have come."""
    run_due_statements(now=now())
