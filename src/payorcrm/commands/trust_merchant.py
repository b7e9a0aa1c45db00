"""Let a merchant that signed itself up send as many mails as any other."""

import argparse

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened
from payorcrm.commands.the_merchant import the_merchant

SUMMARY = "lift the daily limit of mails from a merchant that signed itself up"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whom to trust."""
    parser.add_argument("slug", help="what stands in the merchant's addresses")


def run(arguments: argparse.Namespace) -> Exit:
    """Lift the limit, and send what waits for it."""
    from rich.console import Console

    console = Console()
    with opened(), answering_database():
        from payorcrm.core import clock
        from payorcrm.mail.trust import trust

        merchant = the_merchant(arguments.slug)
        if merchant.is_trusted:
            console.print(f"{merchant.name} is trusted already.", highlight=False)
            return Exit.OK
        count = trust(merchant, now=clock.now())
        waited = f" {count} mails that waited are due now." if count else ""
        console.print(f"{merchant.name} is trusted: nothing limits its mails any more.{waited}", highlight=False)
    return Exit.OK
