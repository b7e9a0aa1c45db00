"""Which of the user's customers the portal shows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from payorcrm.portal.access import CHOSEN_ACCESS, Visit, access_to, for_customers


@require_POST
@for_customers
def switch_customer(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Work for another of the user's customers."""
    chosen = access_to(visit, request.POST.get("access", ""))
    request.session[CHOSEN_ACCESS] = str(chosen.id)
    return redirect("portal:payments")
