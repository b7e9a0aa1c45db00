"""What every template knows: the product, and the merchant whose page it is."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from payorcrm.ui.colors import DEFAULT_ACCENT, palette_of

PRODUCT_NAME = "PayorCRM"


@dataclass(frozen=True, slots=True)
class Brand:
    """A merchant as a page shows it. A view's `access` sets it as `request.brand`."""

    name: str
    accent: str = DEFAULT_ACCENT
    logo_url: str = ""
    # A word mark: the name beside it would stand there twice.
    logo_says_name: bool = False
    time_zone: str = "UTC"
    contact: str = ""

    @property
    def initial(self) -> str:
        """The letter that stands in for a missing logo."""
        return self.name[:1].upper()


def site(request: HttpRequest) -> dict[str, Any]:
    """Return `product` (name, is_demo, has_sign_up), `brand` (None on the product's own pages) and its `palette`."""
    brand: Brand | None = getattr(request, "brand", None)
    return {
        "product": {
            "name": PRODUCT_NAME,
            "is_demo": settings.IS_DEMO,
            "has_sign_up": settings.PUBLIC_SIGN_UP,
        },
        "brand": brand,
        "palette": palette_of(brand.accent if brand else DEFAULT_ACCENT),
    }
