"""Add a merchant and its owner, who then chooses a password by "Forgot password"."""

import argparse
from typing import TYPE_CHECKING

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened

if TYPE_CHECKING:
    from payorcrm.merchants.models import Merchant

SUMMARY = "add a merchant and its owner"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who the merchant is, and who owns it."""
    parser.add_argument("--name", required=True, help="what customers read, such as “Harbor Supply”")
    parser.add_argument("--slug", required=True, help="what addresses say, such as harbor-supply")
    parser.add_argument("--owner-email", required=True, metavar="ADDRESS", help="who signs in first, as owner")
    parser.add_argument("--time-zone", default="America/New_York", help="where its days begin (default: %(default)s)")
    parser.add_argument("--currency", default="USD", help="ISO 4217 code (default: %(default)s)")
    parser.add_argument("--sandbox", action="store_true", help="open an account at the sandbox processor, too")


def run(arguments: argparse.Namespace) -> Exit:
    """Make the rows and say how to go on."""
    from rich.console import Console

    console = Console()
    with opened(), answering_database():
        from django.conf import settings

        from payorcrm.merchants.open import open_merchant

        merchant = open_merchant(
            name=arguments.name,
            slug=arguments.slug,
            owner_email=arguments.owner_email,
            time_zone=arguments.time_zone,
            currency=arguments.currency,
        )
        if arguments.sandbox:
            _connect_sandbox(merchant)
        address = f"{settings.PUBLIC_URL}/account/password/reset/"
        console.print(f"{merchant.name} is there. Its owner chooses a password at", highlight=False, markup=False)
        console.print(address, highlight=False, soft_wrap=True)
    return Exit.OK


def _connect_sandbox(merchant: "Merchant") -> None:
    from django.conf import settings

    from payorcrm.gateways.sandbox.provision import open_test_account
    from payorcrm.payments.connect_gateway import connect_gateway

    keys = open_test_account(merchant.slug, f"{settings.PUBLIC_URL}/webhooks/sandbox/{merchant.slug}/")
    connect_gateway(merchant=merchant, name="sandbox", credentials=keys)
