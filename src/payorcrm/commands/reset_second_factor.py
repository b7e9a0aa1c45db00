"""Forget the second factor of somebody who lost it, when no owner of their merchant can do it."""

import argparse

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened

SUMMARY = "forget a user's second factor, who then signs in with the password alone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose it is."""
    parser.add_argument("email", help="the address that the person signs in with")


def run(arguments: argparse.Namespace) -> Exit:
    """Forget it, end all sessions, and mail the person."""
    from rich.console import Console

    console = Console()
    with opened(), answering_database():
        from payorcrm.core import clock
        from payorcrm.core.models import User
        from payorcrm.staff.second_factor import reset_second_factor

        user = User.objects.filter(email__iexact=arguments.email).first()
        if user is None:
            console.print(f"Nobody signs in with {arguments.email}.", highlight=False)
            return Exit.REFUSED
        reset_second_factor(user, merchant=None, now=clock.now())
        console.print(f"{user.email} is signed out everywhere and has no second factor any more.", highlight=False)
    return Exit.OK
