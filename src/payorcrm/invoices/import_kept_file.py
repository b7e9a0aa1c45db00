"""Previews a kept file and imports it: started once, run by a job that bears being killed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.dates import DateOrder
from payorcrm.core.delimited import Progress
from payorcrm.core.errors import Refused
from payorcrm.core.jobs import enqueue_named
from payorcrm.core.rehearsing import rehearsing
from payorcrm.customers.import_customers import import_customers
from payorcrm.customers.invitation_runs import start_run
from payorcrm.customers.models import ImportKind
from payorcrm.customers.report_import import ImportReport
from payorcrm.invoices.import_invoices import import_invoices
from payorcrm.invoices.keep_file import content_of
from payorcrm.invoices.models import ImportFile, ImportState

_IMPORTS: dict[str, Callable[..., ImportReport]] = {
    ImportKind.CUSTOMERS: import_customers,
    ImportKind.INVOICES: import_invoices,
}


class ChosenAnew(Refused):
    """The columns were chosen again after the preview that somebody agreed to."""

    code: ClassVar[str] = "chosen_anew"
    message: ClassVar[str] = (
        "Nothing was imported: the columns were changed in another tab. Go back and look at the preview once more."
    )


def preview(file: ImportFile, *, now: datetime) -> ImportReport:
    """Return what an import of the good rows would do, with every bad row; nothing changes. Raises UnreadableFile."""
    with rehearsed(file, now=now) as report:
        return report


@contextmanager
def rehearsed(file: ImportFile, *, now: datetime) -> Iterator[ImportReport]:
    """Do what `preview` does, and let the caller look at the books as they would be until it leaves."""
    with rehearsing():
        yield _read_in(file, now=now, skip_bad_rows=True, progress=None)


def start_import(*, file: ImportFile, version: int, skips_bad_rows: bool, sends_invitations: bool) -> ImportFile:
    """Let a job import the file as it was previewed; a second press changes nothing. Raises ChosenAnew."""
    with transaction.atomic():
        locked = ImportFile.objects.select_for_update().get(id=file.id)
        if locked.state != ImportState.WAITING:
            return locked
        if locked.version != version:
            raise ChosenAnew
        locked.state = ImportState.RUNNING
        locked.skips_bad_rows, locked.sends_invitations = skips_bad_rows, sends_invitations
        locked.save(update_fields=["state", "skips_bad_rows", "sends_invitations"])
        enqueue_named("payorcrm.invoices.jobs.import_kept_file", file_id=str(locked.id))
    return locked


def run_import(file_id: UUID, *, now: datetime) -> None:
    """Import a started file in one transaction with its record, so that a killed worker leaves nothing behind.

    While another worker is at it, or when it is over, nothing happens.
    """
    with _progress_of(file_id) as progress, transaction.atomic():
        if not _is_ours(file_id):
            return
        file = ImportFile.objects.select_related("merchant", "uploaded_by").get(id=file_id)
        if file.state != ImportState.RUNNING:
            return
        try:
            with transaction.atomic():
                _import(file, now=now, progress=progress)
        except Refused as error:
            _finish(file, ImportState.FAILED, now, problem=str(error))


def unfinished_files() -> list[UUID]:
    """Return the files whose import was started and is not over."""
    return list(ImportFile.objects.filter(state=ImportState.RUNNING).order_by("id").values_list("id", flat=True))


def _import(file: ImportFile, *, now: datetime, progress: Progress) -> None:
    report = _read_in(file, now=now, skip_bad_rows=file.skips_bad_rows, progress=progress)
    if not report.is_imported:
        problem = f"{report.skipped_count} rows cannot be used, and the others were not to be imported without them."
        _finish(file, ImportState.FAILED, now, problem=problem)
        return
    file.record_id = report.import_id
    if file.sends_invitations and report.new_customer_ids:
        file.invitation_run = start_run(
            merchant=file.merchant, customer_ids=report.new_customer_ids, started_by=file.uploaded_by, now=now
        )
    _finish(file, ImportState.DONE, now)


def _read_in(file: ImportFile, *, now: datetime, skip_bad_rows: bool, progress: Progress | None) -> ImportReport:
    return _IMPORTS[file.kind](
        merchant=file.merchant,
        path=content_of(file),
        now=now,
        skip_bad_rows=skip_bad_rows,
        dates=DateOrder(file.dates) if file.dates else None,
        choices=file.choices,
        progress=progress,
    )


def _finish(file: ImportFile, state: ImportState, now: datetime, *, problem: str = "") -> None:
    file.state, file.finished_at, file.problem, file.content = state, now, problem, None
    file.save(update_fields=["state", "finished_at", "problem", "content", "record", "invitation_run"])


def _is_ours(file_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"import of file {file_id}"])
        (is_ours,) = cursor.fetchone()
    return bool(is_ours)


@contextmanager
def _progress_of(file_id: UUID) -> Iterator[Progress]:
    """Write how far the reading is beside the import's own transaction, where pages can see it."""
    beside = connection.copy()

    def note(read: int, to_read: int) -> None:
        with beside.cursor() as cursor:
            cursor.execute(
                "UPDATE invoices_importfile SET read = %s, to_read = %s WHERE id = %s", [read, to_read, file_id]
            )

    try:
        yield note
    finally:
        beside.close()
