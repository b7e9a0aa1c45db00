"""What a merchant's own look is made of."""

import hashlib

from django.conf import settings

from payorcrm.merchants.models import Merchant
from payorcrm.ui.context import Brand


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


def brand_of(merchant: Merchant) -> Brand:
    """Return the merchant as a page shows it."""
    return Brand(
        name=merchant.name,
        accent=merchant.accent_color,
        logo_url=logo_path(merchant),
        time_zone=merchant.time_zone,
        contact=merchant.reply_to,
    )
