"""Pages of allauth in this product's dress: a customer's user sees them inside the portal, others alone on a page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase

from payorcrm.core.models import User
from payorcrm.customers.view_as import VIEWING
from payorcrm.portal.access import CHOSEN_ACCESS, show_brand, visit_of
from payorcrm.portal.entrance import entrance_used

View = Callable[..., HttpResponseBase]


def dressed(view: View) -> View:
    """Give a page about the person the portal around it, or the brand of the entrance used last."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(request.user, User):
            _put_into_portal(request, request.user)
        else:
            _put_brand_on(request)
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return wrapped


def only_with_google(view: View) -> View:
    """Let an address exist only where sign-in by Google is configured."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.HAS_GOOGLE:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


def _put_into_portal(request: HttpRequest, user: User) -> None:
    """Draw the portal around the page, except for staff who are about their own sign-in."""
    is_about_staff = VIEWING in request.session or (CHOSEN_ACCESS not in request.session and user.memberships.exists())
    if is_about_staff or not user.portal_accesses.live().exists():
        return
    visit = visit_of(request)
    request.visit = visit  # type: ignore[attr-defined]
    request.shell = "portal/base.html"  # type: ignore[attr-defined]
    show_brand(request, visit.merchant)


def _put_brand_on(request: HttpRequest) -> None:
    merchant = entrance_used(request)
    if merchant:
        show_brand(request, merchant)
