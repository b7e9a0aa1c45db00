"""Seal every encrypted value again with the first of ENCRYPTION_KEYS; afterwards the older keys can be taken away."""

import argparse

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened

SUMMARY = "seal all encrypted values with the first encryption key"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: all encrypted values are sealed again."""


def run(arguments: argparse.Namespace) -> Exit:
    """Work through all encrypted columns; it can be stopped and run again."""
    from rich.console import Console

    console = Console()
    with opened(), answering_database():
        from payorcrm.core.rotate_keys import rotate_keys

        with console.status("Sealing encrypted values") as status:
            count = rotate_keys(report=lambda done: status.update(f"Sealing encrypted values: {done}"))
    console.print(f"{count} values are sealed with the first key.", highlight=False)
    return Exit.OK
