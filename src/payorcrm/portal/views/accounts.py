"""Which of the user's customers the portal shows."""

from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.core.clock import now
from payorcrm.customers.portal_access import note_use
from payorcrm.portal.access import Visit, access_to, for_customers, for_own_users
from payorcrm.portal.arrive import choose_customer, portal_home
from payorcrm.ui import views


@require_safe
@for_own_users
def accounts(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List the user's customers by merchant, the current one marked."""
    merchants = [(name, list(group)) for name, group in groupby(visit.accesses, lambda one: one.customer.merchant)]
    return render(request, "portal/account_list.html", {"section": "", "merchants": merchants})


@require_POST
@for_customers
def switch_customer(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Work for another of the user's customers."""
    chosen = access_to(visit, request.POST.get("access", ""))
    choose_customer(request, chosen)
    note_use(chosen, now())
    return redirect(portal_home())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404; a page of the portal may belong to another of the user's customers, so it offers to switch."""
    visit: Visit | None = getattr(request, "visit", None)
    if visit is None or visit.is_viewing or len(visit.accesses) < 2:
        return views.not_found(request, exception)
    return render(request, "portal/not_found.html", {"section": ""}, status=404)
