"""Send reminders about overdue invoices: one mail per customer and currency."""

import argparse

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened
from payorcrm.commands.the_merchant import add_merchant_argument, the_merchant

SUMMARY = "send reminders about overdue invoices"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose invoices, of which customer, how late, and to whom."""
    add_merchant_argument(parser)
    parser.add_argument("--customer", metavar="NO", help="only the customer of this number")
    parser.add_argument(
        "--min-days-overdue", type=_day_count, default=1, metavar="N", help="how late at least (default: 1)"
    )
    parser.add_argument("--to", metavar="ADDRESS", help="send all mails to this address instead: a rehearsal")


def _day_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is not 1 or more")
    return int(text)


def run(arguments: argparse.Namespace) -> Exit:
    """Queue the mails; a worker sends them."""
    from rich.console import Console

    console = Console()
    with opened(), answering_database():
        from payorcrm.core import clock
        from payorcrm.core.checks import refuse_unsafe_settings
        from payorcrm.reminders.send import send_reminders

        refuse_unsafe_settings()
        with console.status("Selecting overdue invoices"):
            run = send_reminders(
                merchant=the_merchant(arguments.merchant),
                now=clock.now(),
                customer_number=arguments.customer,
                min_days_overdue=arguments.min_days_overdue,
                to_address=arguments.to,
            )
        if not run.reminder_count:
            console.print("Nobody to remind: no mail is queued.")
            return Exit.OK
        counted = "1 reminder" if run.reminder_count == 1 else f"{run.reminder_count} reminders"
        console.print(f"{counted} queued. A worker sends them within seconds.", highlight=False)
    return Exit.OK
