"""The customer's transactions view: the same payments as the merchant sees."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.payments.queries import allocations_of, payments_of
from payorcrm.payments.wording import decline_in_words, return_in_words
from payorcrm.portal.access import Visit, for_customers, payment_of_customer
from payorcrm.ui.paging import page_of


@require_safe
@for_customers
def payments(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List the payments of the customer that the user works for, newest first."""
    page = page_of(payments_of(visit.customer), by=("-submitted_at", "-id"), query=request.GET)
    return render(request, "portal/payment_list.html", {"section": "payments", "page": page})


@require_safe
@for_customers
def payment(request: HttpRequest, visit: Visit, payment_id: UUID) -> HttpResponse:
    """Show one payment with its invoices and its time line."""
    found = payment_of_customer(visit, payment_id)
    shown = {
        "section": "payments",
        "payment": found,
        "allocations": allocations_of(found.id),
        "events": found.events.order_by("-at", "-id"),
        "decline": decline_in_words(found),
        "return_reason": return_in_words(found),
    }
    return render(request, "portal/payment_detail.html", shown)
