"""Import customers or invoices from a CSV or XLSX file. Importing the same file twice changes nothing."""

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened
from payorcrm.commands.the_merchant import add_merchant_argument, the_merchant
from payorcrm.commands.visible import visible
from payorcrm.core.errors import Refused

if TYPE_CHECKING:
    from rich.console import Console

    from payorcrm.core.dates import DateOrder
    from payorcrm.customers.invitation_runs import Plan
    from payorcrm.customers.report_import import ImportReport
    from payorcrm.merchants.models import Merchant

SUMMARY = "import customers or invoices from a CSV or XLSX file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to import, from where, and how strictly."""
    parser.add_argument("kind", choices=["customers", "invoices"])
    parser.add_argument("file", type=Path, metavar="FILE")
    add_merchant_argument(parser)
    parser.add_argument("--skip-bad-rows", action="store_true", help="import the other rows; else one bad row stops it")
    parser.add_argument(
        "--dry-run", action="store_true", help="check the file and say what would happen; change nothing"
    )
    parser.add_argument("--no-invitations", action="store_true", help="mail no invitations to customers that are new")
    parser.add_argument("--dates", metavar="ORDER", help="how to read 03/04/2026, refused otherwise: mdy, dmy or ymd")


class CannotRead(Refused):
    """The file is not there, or the order of dates is not one of those that exist."""

    code: ClassVar[str] = "cannot_read"


BROUGHT = "Imported"
WOULD_BRING = "A dry run, nothing was changed. An import would bring"


def run(arguments: argparse.Namespace) -> Exit:
    """Import, report every bad row, and say by the exit code whether anything was refused."""
    from rich.console import Console

    console = Console(soft_wrap=True)
    if not arguments.file.is_file():
        raise CannotRead(f"There is no file {arguments.file}.")
    with opened(), answering_database():
        merchant = the_merchant(arguments.merchant)
        invites = _is_to_invite(arguments, merchant, console)
        report = _import_and_invite(arguments, merchant, console) if invites else _import(arguments, merchant, console)
        _print_report(console, report, WOULD_BRING if arguments.dry_run else BROUGHT)
        if report.is_imported and report.invitations:
            _say_who_is_invited(arguments, merchant, report.invitations, console, was_agreed=invites)
    return Exit.OK if report.is_imported and not report.bad_rows else Exit.REFUSED


def _is_to_invite(arguments: argparse.Namespace, merchant: "Merchant", console: "Console") -> bool:
    """Say whether new customers are invited; whoever sits at the terminal is asked before anything is imported."""
    from payorcrm.core.rehearsing import rehearsing

    if arguments.dry_run or arguments.no_invitations or not merchant.invites_new_customers:
        return False
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    with rehearsing():
        plan = _import(arguments, merchant, console).invitations
    if plan is None or not plan.to_invite:
        return True
    question = f"Inviting the new customers to the portal causes {_mails(plan)}. Send them?"
    return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")


def _import_and_invite(arguments: argparse.Namespace, merchant: "Merchant", console: "Console") -> "ImportReport":
    """Import, and start the invitations of new customers, both or neither."""
    from django.db import transaction

    from payorcrm.core import clock
    from payorcrm.customers.invitation_runs import start_run

    with transaction.atomic():
        report = _import(arguments, merchant, console)
        if report.is_imported and report.invitations and report.invitations.to_invite:
            start_run(merchant=merchant, customer_ids=report.new_customer_ids, started_by=None, now=clock.now())
    return report


def _import(arguments: argparse.Namespace, merchant: "Merchant", console: "Console") -> "ImportReport":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from payorcrm.core import clock
    from payorcrm.core.rehearsing import rehearsing
    from payorcrm.customers.import_customers import import_customers
    from payorcrm.invoices.import_invoices import import_invoices

    import_rows = {"customers": import_customers, "invoices": import_invoices}[arguments.kind]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    trying = rehearsing() if arguments.dry_run else nullcontext()
    with Progress(*columns, console=console, transient=True) as progress, trying:
        rows = progress.add_task(f"Importing {arguments.kind}", total=None)
        return import_rows(
            merchant=merchant,
            path=arguments.file,
            now=clock.now(),
            skip_bad_rows=arguments.skip_bad_rows,
            dates=_date_order(arguments.dates),
            progress=lambda finished, total: progress.update(rows, completed=finished, total=total),
        )


def _date_order(text: str | None) -> "DateOrder | None":
    from payorcrm.core.dates import DateOrder

    if text is None:
        return None
    try:
        return DateOrder(text)
    except ValueError:
        raise CannotRead(f"--dates is one of: {', '.join(DateOrder)}.") from None


def _say_who_is_invited(
    arguments: argparse.Namespace, merchant: "Merchant", plan: "Plan", console: "Console", *, was_agreed: bool
) -> None:
    for customer, reason in plan.skipped:
        _say(console, f"Not invited: {customer.number} ({customer}): {reason.label}")
    if plan.more_skipped:
        _say(console, f"Not invited: {plan.more_skipped} more")
    if arguments.no_invitations or not merchant.invites_new_customers:
        why = "as asked" if arguments.no_invitations else "the merchant's settings say so"
        _say(console, f"New customers are not invited to the portal ({why}); it would be {_mails(plan)}.")
    elif arguments.dry_run:
        _say(console, f"The import would cause {_mails(plan)}.")
    elif plan.to_invite and was_agreed:
        _say(console, f"{_mails(plan)} queued. A worker sends them.")
    else:
        _say(console, "No invitation mails are sent.")


def _mails(plan: "Plan") -> str:
    return "1 invitation mail" if plan.to_invite == 1 else f"{plan.to_invite:,} invitation mails"


def _print_report(console: "Console", report: "ImportReport", outcome: str) -> None:
    understood = ", ".join(f"{column} ({meaning})" for column, meaning in report.understood)
    _say(console, f"Columns understood: {understood}")
    if report.ignored_columns:
        _say(console, f"Columns not used: {', '.join(report.ignored_columns)}")
    for bad in report.bad_rows:
        place = f"Row {bad.row}, column {bad.column}" if bad.column else f"Row {bad.row}"
        _say(console, f"{place}: “{bad.value[:100]}”: {bad.reason}")
    if report.left_in_flight:
        _say(console, f"Left as they are, because a payment is under way: {', '.join(report.left_in_flight)}")
    if report.left_closed:
        _say(
            console, f"Left as they are, because they are void, written off or drafts: {', '.join(report.left_closed)}"
        )
    if not report.is_imported:
        _say(console, "Nothing was imported. Correct these rows, or import the others with --skip-bad-rows.")
        return
    counts = f"{report.new_count} new, {report.changed_count} changed, {report.unchanged_count} unchanged"
    _say(console, f"{outcome}: {counts}, {report.skipped_count} skipped.")


def _say(console: "Console", line: str) -> None:
    # What stands in a file is printed as it is, never read as markup or obeyed by the terminal.
    console.print(visible(line), markup=False, highlight=False)
