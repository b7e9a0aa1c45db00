"""Imports customers and their contacts from a file: read, checked and merged as sets, in one transaction."""

from datetime import datetime

from django.db import transaction

from payorcrm.core.column_choices import Choices, with_choices
from payorcrm.core.dates import DateOrder
from payorcrm.core.delimited import Progress
from payorcrm.core.held_file import Readable
from payorcrm.core.ids import uuid7
from payorcrm.core.tables import BadRow, Table, open_table
from payorcrm.customers.invitation_runs import plan_run
from payorcrm.customers.merge_customers import drop_rows, merge, new_customer_ids
from payorcrm.customers.models import ImportKind
from payorcrm.customers.report_import import ImportReport, in_order, record_import, refused_report
from payorcrm.customers.stage_customers import LAYOUT, stage_customers
from payorcrm.merchants.models import Merchant


def import_customers(
    *,
    merchant: Merchant,
    path: Readable,
    now: datetime,
    skip_bad_rows: bool = False,
    dates: DateOrder | None = None,
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Bring a merchant's customers to what a CSV or XLSX file says, and return what became of every row.

    Importing a file twice changes nothing the second time, and an empty cell erases nothing. Nothing is imported when
    any row is bad, unless `skip_bad_rows`. It invites nobody, and says whom of the new ones a run of invitations would
    reach. Customers have no dates; `dates` makes both imports callable
    alike. `choices` says what columns mean where somebody chose it. Raises UnreadableFile.
    """
    with open_table(path, with_choices(LAYOUT, choices or {}), progress) as table, transaction.atomic():
        bad_rows = in_order(stage_customers(table))
        if bad_rows and not skip_bad_rows:
            transaction.set_rollback(True)
            return refused_report(table, bad_rows)
        drop_rows({bad.row for bad in bad_rows})
        return _merge(table, bad_rows, merchant=merchant, path=path, now=now)


def _merge(table: Table, bad_rows: list[BadRow], *, merchant: Merchant, path: Readable, now: datetime) -> ImportReport:
    import_id = uuid7()
    new_count, changed_count, unchanged_count = merge(merchant_id=merchant.id, import_id=import_id, now=now)
    new_ids = new_customer_ids()
    report = ImportReport(
        new_count=new_count,
        changed_count=changed_count,
        unchanged_count=unchanged_count,
        skipped_count=len({bad.row for bad in bad_rows}),
        understood=table.understood,
        ignored_columns=table.ignored_columns,
        bad_rows=bad_rows,
        new_customer_ids=new_ids,
        import_id=import_id,
        invitations=plan_run(merchant=merchant, customer_ids=new_ids) if new_ids else None,
    )
    record_import(report=report, import_id=import_id, merchant=merchant, kind=ImportKind.CUSTOMERS, path=path, now=now)
    return report
