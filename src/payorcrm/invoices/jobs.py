"""The timetable of invoices."""

from uuid import UUID

from payorcrm.core.clock import now
from payorcrm.core.jobs import enqueue_once, job, periodic
from payorcrm.invoices import answer_registration
from payorcrm.invoices.aging import fold_days
from payorcrm.invoices.debtors import keep_all_debtors
from payorcrm.invoices.import_kept_file import run_import, unfinished_files
from payorcrm.invoices.keep_file import forget_files
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


@periodic(cron="*/5 * * * *")
@job()
def keep_sums(timestamp: int) -> None:
    """Bring the sums that dashboards read up to date, so that reading stays quick."""
    fold_days()
    keep_all_debtors(now=now())


@job()
def import_kept_file(*, file_id: str) -> None:
    """Import one file that staff dropped."""
    run_import(UUID(file_id), now=now())


@periodic(cron="* * * * *")
@job()
def continue_imports(timestamp: int) -> None:
    """Go on with the imports that a killed worker left."""
    for file_id in unfinished_files():
        enqueue_once(import_kept_file, key=f"import {file_id}", file_id=str(file_id))


@periodic(cron="37 * * * *")
@job()
def forget_old_files(timestamp: int) -> None:
    """Delete the files that nobody imported."""
    forget_files(now=now())
