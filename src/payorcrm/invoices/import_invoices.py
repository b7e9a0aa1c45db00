"""Imports invoices from a file: read, checked, compared and merged as sets, in one transaction."""

from datetime import datetime

from django.db import transaction

from payorcrm.core.clock import day_in
from payorcrm.core.column_choices import Choices, with_choices
from payorcrm.core.dates import DateOrder
from payorcrm.core.delimited import Progress
from payorcrm.core.held_file import Readable
from payorcrm.core.ids import uuid7
from payorcrm.core.tables import BadRow, Table, open_table
from payorcrm.customers.models import ImportKind
from payorcrm.customers.report_import import ImportReport, in_order, record_import, refused_report
from payorcrm.invoices.check_import import compare, contradictions, refusals
from payorcrm.invoices.lock_numbers import lock_numbers_for_import
from payorcrm.invoices.merge_import import drop_rows, merge, numbers_left
from payorcrm.invoices.stage_invoices import LAYOUT, stage_invoices
from payorcrm.merchants.models import Merchant


def import_invoices(
    *,
    merchant: Merchant,
    path: Readable,
    now: datetime,
    skip_bad_rows: bool = False,
    dates: DateOrder | None = None,
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Bring a merchant's invoices to what a CSV or XLSX file says, and return what became of every row.

    Importing a file twice changes nothing the second time. Nothing is imported when any row is bad, unless
    `skip_bad_rows`. Invoices that the file does not name stay as they are.
    `choices` says what columns mean where somebody chose it. Raises UnreadableFile.
    """
    with open_table(path, with_choices(LAYOUT, choices or {}), progress) as table, transaction.atomic():
        bad_rows = stage_invoices(table=table, merchant=merchant, dates=dates)
        lock_numbers_for_import(merchant.id)
        bad_rows += contradictions(table)
        compare(merchant.id)
        bad_rows = in_order([*bad_rows, *refusals(table)])
        if bad_rows and not skip_bad_rows:
            transaction.set_rollback(True)
            return refused_report(table, bad_rows)
        drop_rows({bad.row for bad in bad_rows})
        return _merge(table, bad_rows, merchant=merchant, path=path, now=now)


def _merge(table: Table, bad_rows: list[BadRow], *, merchant: Merchant, path: Readable, now: datetime) -> ImportReport:
    import_id = uuid7()
    left_in_flight, left_closed = numbers_left("in_flight"), numbers_left("closed")
    new_count, changed_count, known_count = merge(
        merchant_id=merchant.id,
        import_id=import_id,
        note=f"According to {path.name}.",
        today=day_in(merchant.time_zone, now),
        now=now,
    )
    left_count = len(left_in_flight) + len(left_closed)
    report = ImportReport(
        new_count=new_count,
        changed_count=changed_count,
        unchanged_count=known_count - changed_count - left_count,
        skipped_count=left_count + len({bad.row for bad in bad_rows}),
        understood=table.understood,
        ignored_columns=table.ignored_columns,
        bad_rows=bad_rows,
        left_in_flight=left_in_flight,
        left_closed=left_closed,
        import_id=import_id,
    )
    record_import(report=report, import_id=import_id, merchant=merchant, kind=ImportKind.INVOICES, path=path, now=now)
    return report
