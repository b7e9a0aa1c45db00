"""What a sign-in leads to: one of the user's customers, and the first page of the portal."""

from typing import Any

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from payorcrm.core.clock import now
from payorcrm.core.models import User
from payorcrm.customers.models import PortalAccess
from payorcrm.customers.portal_access import note_use
from payorcrm.merchants.models import Merchant
from payorcrm.portal.access import CHOSEN_ACCESS, accesses_of
from payorcrm.portal.entrance import entrance_of, entrance_used

# Names in the session: the entrance at which a sign-in began, and whether the user has a portal at all.
ENTRANCE = "entrance"
HAS_PORTAL = "has_portal"


def begin_at(request: HttpRequest, merchant: Merchant) -> None:
    """Remember at whose entrance a sign-in begins; a second step may lie between here and its end."""
    request.session[ENTRANCE] = str(merchant.id)


def sign_in(request: HttpRequest, user: User, merchant: Merchant) -> HttpResponse:
    """Sign in a user who has just proved who they are; who has set up a second step is asked for it first."""
    begin_at(request, merchant)
    answer: HttpResponse = perform_login(request, user, redirect_url=entrance_of(merchant))
    return answer


def arrive(request: HttpRequest, user: User) -> None:
    """Choose the customer of the merchant at whose entrance the user signed in, and note that the access is used."""
    accesses = accesses_of(user)
    request.session[HAS_PORTAL] = bool(accesses)
    merchant_id = request.session.pop(ENTRANCE, None) or _merchant_of_browser(request)
    here = [access for access in accesses if str(access.merchant_id) == merchant_id]
    for access in (here or accesses)[:1]:
        choose_customer(request, access)
        note_use(access, now())


def choose_customer(request: HttpRequest, access: PortalAccess) -> None:
    """Let the portal show this customer from now on."""
    request.session[CHOSEN_ACCESS] = str(access.id)


def access_here(request: HttpRequest, user: User, merchant: Merchant) -> PortalAccess | None:
    """Return the user's access at a merchant: the chosen one if it is there, else the first."""
    here = [access for access in accesses_of(user) if access.merchant_id == merchant.id]
    chosen = request.session.get(CHOSEN_ACCESS)
    return next((access for access in here if str(access.id) == chosen), here[0] if here else None)


def next_page(request: HttpRequest) -> str:
    """Return the page of the portal that the visitor wanted, else its first one."""
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours and wanted.startswith("/portal/") else portal_home()


def portal_home() -> str:
    """Return where the portal begins."""
    try:
        return reverse("portal:invoices")
    except NoReverseMatch:
        return reverse("portal:payments")


def _merchant_of_browser(request: HttpRequest) -> str:
    merchant: Any = entrance_used(request)
    return str(merchant.id) if merchant else ""
