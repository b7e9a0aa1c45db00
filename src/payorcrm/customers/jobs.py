"""The timetable of access to the portal."""

from uuid import UUID

from payorcrm.core.clock import now
from payorcrm.core.jobs import enqueue, enqueue_once, job, periodic
from payorcrm.customers import answer_ask
from payorcrm.customers.invitation_runs import unfinished_runs, work_off
from payorcrm.customers.view_as import end_lapsed_viewings


@job()
def work_off_run(*, run_id: str) -> None:
    """Invite the next customers of a run; another job goes on with the rest, so that others have their turn."""
    if work_off(UUID(run_id), now=now()):
        enqueue(work_off_run, run_id=run_id)


@periodic(cron="* * * * *")
@job()
def continue_runs(timestamp: int) -> None:
    """Go on with the runs that a killed worker left."""
    for run_id in unfinished_runs():
        enqueue_once(work_off_run, key=f"invitations {run_id}", run_id=str(run_id))


@job()
def answer_password_ask(*, ask_id: str) -> None:
    """Answer one question for a new password."""
    answer_ask.answer_password_ask(UUID(ask_id), now=now())


@periodic(cron="17 * * * *")
@job()
def forget_asks(timestamp: int) -> None:
    """Delete old questions."""
    answer_ask.forget_asks(now=now())


@periodic(cron="*/10 * * * *")
@job()
def end_viewings(timestamp: int) -> None:
    """End the looks of staff whose hour is over."""
    end_lapsed_viewings(now())
