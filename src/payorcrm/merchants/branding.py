"""What a merchant's own look is made of. The picture of the logo itself is not read here."""

from django.conf import settings

from payorcrm.merchants.models import Merchant
from payorcrm.ui.context import Brand


def logo_path(merchant: Merchant) -> str:
    """Return the address of the logo on this site, which changes with it; empty without one."""
    # PostgreSQL makes the digest; a merchant that it has not stored yet has none.
    if merchant._state.adding or not merchant.logo_digest:
        return ""
    return f"/brand/{merchant.slug}/logo-{merchant.logo_digest}.png"


def logo_url(merchant: Merchant) -> str:
    """Return the absolute address of the logo, for mails; empty without one."""
    path = logo_path(merchant)
    return f"{settings.PUBLIC_URL}{path}" if path else ""


def logo_says_name(merchant: Merchant) -> bool:
    """Tell from the logo's proportions whether it is a word mark, beside which the name need not stand."""
    return bool(logo_path(merchant)) and bool(merchant.logo_says_name)


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
