"""What stands at the head and the foot of every document that is printed in a merchant's name."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from payorcrm.merchants.branding import logo_says_name
from payorcrm.merchants.models import Merchant
from payorcrm.ui.colors import palette_of


def paper_for(merchant: Merchant, title: str) -> dict[str, Any]:
    """Return the values that `core/paper.typ` needs, in the active language."""
    is_word_mark = bool(merchant.logo) and logo_says_name(merchant)
    reached_at = [each for each in (merchant.phone, merchant.reply_to) if each]
    return {
        "language": (get_language() or "en").partition("-")[0],
        "title": f"{title} · {merchant.name}",
        "foot": f"{merchant.name} · {title}",
        "page_words": _("Page {page} of {pages}"),
        "letterhead": {
            "name": merchant.name,
            # A picture of the name is no name to whoever searches or files the document.
            "lines": [*([merchant.name] if is_word_mark else []), *merchant.address.splitlines(), *reached_at],
            # JSON knows no bytes.
            "logo": list(merchant.logo or b""),
            "logo_says_name": is_word_mark,
            "accent": palette_of(merchant.accent_color).light.ink,
        },
    }
