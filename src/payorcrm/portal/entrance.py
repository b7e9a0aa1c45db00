"""Which merchant's entrance a browser used last. A plain cookie tells: it opens nothing."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from payorcrm.merchants.models import Merchant

A_YEAR = 31_536_000
LONGEST_SLUG = 60


def remember_entrance(response: HttpResponseBase, merchant: Merchant) -> None:
    """Keep in the browser whose entrance it used, so that a later sign-in finds back to it."""
    response.set_cookie(
        settings.ENTRANCE_COOKIE_NAME,
        merchant.slug,
        max_age=A_YEAR,
        secure=settings.IS_SECURE,
        httponly=True,
        samesite="Lax",
    )


def entrance_used(request: HttpRequest) -> Merchant | None:
    """Return the merchant whose entrance this browser used last."""
    slug = request.COOKIES.get(settings.ENTRANCE_COOKIE_NAME, "")
    if not slug or len(slug) > LONGEST_SLUG or "\0" in slug:
        return None
    return Merchant.objects.defer("logo").filter(slug=slug).first()


def sign_in_address(request: HttpRequest) -> str:
    """Return where a stranger to a page signs in: the branded entrance used last, else the plain one."""
    merchant = entrance_used(request)
    return entrance_of(merchant) if merchant else reverse("account_login")


def entrance_of(merchant: Merchant) -> str:
    """Return the address of a merchant's entrance."""
    return reverse("portal:entrance", args=[merchant.slug])
