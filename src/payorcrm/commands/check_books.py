"""Recompute every balance from the facts, and list the rows that disagree."""

import argparse

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened

SUMMARY = "recompute every balance and list what disagrees"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: all books are checked."""


def run(arguments: argparse.Namespace) -> Exit:
    """Check, print, and say by the exit code whether the books agree."""
    from rich.console import Console

    console = Console()
    with opened(), answering_database():
        from payorcrm.ledger.check import check_books

        with console.status("Checking the books"):
            disagreements = list(check_books())
    if not disagreements:
        console.print("The books agree.")
        return Exit.OK
    for disagreement in disagreements:
        console.print(str(disagreement), markup=False, highlight=False, soft_wrap=True)
    console.print(f"Numbers that disagree: {len(disagreements)}. Nothing was changed.", highlight=False)
    return Exit.REFUSED
