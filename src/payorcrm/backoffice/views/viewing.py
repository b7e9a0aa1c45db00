"""Looking at the portal as a customer sees it: visible, written down, and unable to pay or change anything."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from payorcrm.backoffice.access import customer_of, for_collectors
from payorcrm.core.clock import now
from payorcrm.customers.view_as import VIEWING, start_viewing
from payorcrm.merchants.models import Staff


@require_POST
@for_collectors
def view_as(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Begin to look, and go to the portal."""
    viewing = start_viewing(customer=customer_of(staff, customer_id), user=staff.user, now=now())
    request.session[VIEWING] = str(viewing.id)
    return redirect("portal:payments")
