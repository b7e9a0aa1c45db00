"""All that happened with one customer, a page at a time."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import customer_of, for_staff
from payorcrm.backoffice.timeline import timeline_of
from payorcrm.merchants.models import Staff


@require_safe
@for_staff
def history(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Show the time line, the latest first."""
    customer = customer_of(staff, customer_id)
    before = request.GET.get("before", "")
    timeline = timeline_of(customer, slug=staff.merchant.slug, before=before)
    context = {"section": "customers", "customer": customer, "timeline": timeline, "is_first": not before}
    return render(request, "backoffice/customer_history.html", context)
