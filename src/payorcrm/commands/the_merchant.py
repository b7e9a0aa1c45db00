"""Which merchant a command is about: the one named by `--merchant`, or the only one there is."""

import argparse
from typing import TYPE_CHECKING, ClassVar

from payorcrm.core.errors import Refused

if TYPE_CHECKING:
    from payorcrm.merchants.models import Merchant


class WhichMerchant(Refused):
    """No merchant, or more than one, fits the command."""

    code: ClassVar[str] = "which_merchant"


def add_merchant_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--merchant`."""
    parser.add_argument("--merchant", metavar="SLUG", help="which merchant; may be left out when there is only one")


def the_merchant(slug: str | None) -> "Merchant":
    """Return the merchant of a slug, or the only one. Raises WhichMerchant."""
    from payorcrm.merchants.models import Merchant

    slugs = list(Merchant.objects.order_by("slug").values_list("slug", flat=True)[:20])
    if not slugs:
        raise WhichMerchant("There is no merchant yet.")
    if slug is None and len(slugs) > 1:
        raise WhichMerchant(f"Say which merchant with --merchant: {', '.join(slugs)}.")
    found = Merchant.objects.filter(slug=slug or slugs[0]).first()
    if found is None:
        raise WhichMerchant(f"There is no merchant “{slug}”. There are: {', '.join(slugs)}.")
    return found
