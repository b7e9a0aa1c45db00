"""The timetable of reminders."""

from uuid import UUID

from payorcrm.core.clock import now
from payorcrm.core.jobs import enqueue_once, job, periodic
from payorcrm.reminders.keep_rehearsal import forget_rehearsals
from payorcrm.reminders.run_rules import merchants_due, run_rules_of
from payorcrm.reminders.work_out_rehearsal import work_out


@periodic(cron="*/5 * * * *")
@job()
def run_rules_of_all(timestamp: int) -> None:
    """Let each merchant whose hour has come run on its own: what one stumbles over does not stop the others."""
    for merchant_id in merchants_due(now=now()):
        enqueue_once(run_rules_of_one, key=f"rules-{merchant_id}", merchant_id=str(merchant_id))


@job()
def run_rules_of_one(merchant_id: str) -> None:
    """Run the rules of one merchant."""
    run_rules_of(merchant_id=UUID(merchant_id), now=now())


@job()
def work_out_rehearsal(rehearsal_id: str) -> None:
    """Work out what the rules of one merchant would send, or what a change of one would make of that."""
    work_out(UUID(rehearsal_id), now=now())


@periodic(cron="47 * * * *")
@job()
def forget_old_rehearsals(timestamp: int) -> None:
    """Throw away rehearsals that nobody needs any more."""
    forget_rehearsals(now=now())
