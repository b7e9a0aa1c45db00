"""What an import says about a file, and the record that it was read in."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from payorcrm.core.held_file import Readable
from payorcrm.core.tables import BadRow, Table
from payorcrm.customers.invitation_runs import Plan
from payorcrm.customers.models import Import, ImportKind
from payorcrm.merchants.models import Merchant


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How an import went, row by row: every row of the file is new, changed, unchanged or skipped.

    Skipped are bad rows and the invoices in `left_in_flight` (a payment is under way) and `left_closed` (void, written
    off or a draft), which the file would have changed. Nothing at all was imported unless `is_imported`.
    `invitations` says whom of the new customers a run would invite.
    """

    new_count: int
    changed_count: int
    unchanged_count: int
    skipped_count: int
    understood: list[tuple[str, str]]
    ignored_columns: list[str]
    bad_rows: list[BadRow]
    left_in_flight: list[str] = field(default_factory=list)
    left_closed: list[str] = field(default_factory=list)
    new_customer_ids: list[UUID] = field(default_factory=list)
    invitations: Plan | None = None
    import_id: UUID | None = None
    is_imported: bool = True


def refused_report(table: Table, bad_rows: list[BadRow]) -> ImportReport:
    """Return the report of a file of which nothing was imported."""
    return ImportReport(
        new_count=0,
        changed_count=0,
        unchanged_count=0,
        skipped_count=len({bad.row for bad in bad_rows}),
        understood=table.understood,
        ignored_columns=table.ignored_columns,
        bad_rows=in_order(bad_rows),
        is_imported=False,
    )


def in_order(bad_rows: list[BadRow]) -> list[BadRow]:
    """Sort as the file stands."""
    return sorted(bad_rows, key=lambda bad: bad.row)


def record_import(
    *, report: ImportReport, import_id: UUID, merchant: Merchant, kind: ImportKind, path: Readable, now: datetime
) -> None:
    """Keep for the merchant that a file was read in, and how it went."""
    Import.objects.create(
        id=import_id,
        merchant=merchant,
        kind=kind,
        file_name=path.name[-255:],
        finished_at=now,
        new_count=report.new_count,
        changed_count=report.changed_count,
        unchanged_count=report.unchanged_count,
        skipped_count=report.skipped_count,
    )
