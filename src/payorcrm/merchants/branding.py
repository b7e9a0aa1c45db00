"""What a merchant's own look is made of."""

import hashlib
import struct

from django.conf import settings

from payorcrm.merchants.models import Merchant
from payorcrm.ui.context import Brand

# A picture at least this many times as wide as high, in tenths, is taken for a word mark.
WORD_MARK = 22
_PNG = b"\x89PNG\r\n\x1a\n"


def logo_digest(merchant: Merchant) -> str:
    """Return a short digest of the logo, so that its address changes with it; empty without one."""
    return hashlib.sha256(bytes(merchant.logo)).hexdigest()[:12] if merchant.logo else ""


def logo_path(merchant: Merchant) -> str:
    """Return the address of the logo on this site; empty without one."""
    digest = logo_digest(merchant)
    return f"/brand/{merchant.slug}/logo-{digest}.png" if digest else ""


def logo_url(merchant: Merchant) -> str:
    """Return the absolute address of the logo, for mails; empty without one."""
    path = logo_path(merchant)
    return f"{settings.PUBLIC_URL}{path}" if path else ""


def logo_says_name(merchant: Merchant) -> bool:
    """Tell from the logo's proportions whether it is a word mark, beside which the name need not stand."""
    head = bytes(merchant.logo[:24]) if merchant.logo else b""
    if len(head) < 24 or not head.startswith(_PNG):
        return False
    # A PNG begins with its size (W3C PNG, section 11.2.1).
    width, height = struct.unpack(">II", head[16:])
    return width * 10 >= WORD_MARK * height


def brand_of(merchant: Merchant) -> Brand:
    """Return the merchant as a page shows it."""
    return Brand(
        name=merchant.name,
        accent=merchant.accent_color,
        logo_url=logo_path(merchant),
        logo_says_name=logo_says_name(merchant),
        time_zone=merchant.time_zone,
        contact=merchant.reply_to,
    )
