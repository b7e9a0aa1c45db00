"""Where a person lands: staff in the back office, customers in the portal, strangers at the sign-in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.portal.arrive import portal_home


class NothingToSee(Refused):
    """A user who is neither staff nor has access to a customer signed in."""

    code = "nothing_to_see"
    status = 403
    message = _(
        "Your sign-in works, but it is not connected to any company yet. Please ask the company that invited you."
    )


def home(request: HttpRequest) -> HttpResponse:
    """Send a person on to what is theirs. Raises NothingToSee."""
    if not isinstance(request.user, User):
        return redirect("demo:mailbox" if settings.IS_DEMO and request.path == "/" else "account_login")
    membership = request.user.memberships.select_related("merchant").order_by("merchant__name").first()
    if membership:
        return redirect("backoffice:dashboard", merchant_slug=membership.merchant.slug)
    if request.user.portal_accesses.live().exists():
        return redirect(portal_home())
    raise NothingToSee
