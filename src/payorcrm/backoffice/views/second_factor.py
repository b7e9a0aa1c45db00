"""A second factor that the merchant requires: the page that leads to it, and the owner's switch."""

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import for_owners, for_staff_on_the_way_in
from payorcrm.backoffice.second_factor import is_missing, is_proved
from payorcrm.core import clock
from payorcrm.customers.view_as import end_viewings_at
from payorcrm.merchants.models import Staff
from payorcrm.staff.second_factor import (
    FACTORS,
    SetOneUpFirst,
    require_second_factor,
    stop_requiring_second_factor,
)


@require_safe
@for_staff_on_the_way_in
def second_factor(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Say how to set one up, or how to use the one that is there; go on where nothing is missing."""
    if not is_missing(request, staff):
        return redirect("backoffice:dashboard", merchant_slug=staff.merchant.slug)
    kinds = set(Authenticator.objects.filter(user=staff.user, type__in=FACTORS).values_list("type", flat=True))
    shown = {"has_app": Authenticator.Type.TOTP in kinds, "has_passkey": Authenticator.Type.WEBAUTHN in kinds}
    return render(request, "backoffice/second_factor.html", shown)


@require_POST
@for_owners
def switch(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Require a second factor of everybody, or stop. Raises SetOneUpFirst."""
    if request.POST.get("to") == "on":
        if not is_proved(request, staff.user):
            raise SetOneUpFirst
        require_second_factor(staff.merchant, by=staff.user)
        end_viewings_at(staff.merchant_id, clock.now())  # the portal itself asks for no second factor
        messages.success(request, "Required: who has no second factor is led to set one up at the next click.")
    else:
        stop_requiring_second_factor(staff.merchant)
        messages.success(request, "A second factor is no longer required.")
    return redirect("backoffice:team", merchant_slug=staff.merchant.slug)
