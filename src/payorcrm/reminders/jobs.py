"""The timetable of reminders."""

from payorcrm.core.clock import now
from payorcrm.core.jobs import job, periodic
from payorcrm.reminders.run_rules import run_due_rules


@periodic(cron="*/5 * * * *")
@job()
def run_rules_of_all(timestamp: int) -> None:
    """Run the rules of merchants whose hour has come."""
    run_due_rules(now=now())
