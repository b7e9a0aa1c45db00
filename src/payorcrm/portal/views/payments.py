"""The customer's transactions view: the same payments as the merchant sees."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.payments.queries import allocations_of, payments_of
from payorcrm.payments.wording import decline_in_words, return_in_words
from payorcrm.portal import access
from payorcrm.ui.paging import page_of


@login_required
@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """List the payments of the customer that the user works for, newest first."""
    current = access.current_access(request)
    shown = {
        "current": current,
        "accesses": access.accesses_of(request),
        "page": page_of(payments_of(current.customer), by=("-submitted_at", "-id"), query=request.GET),
    }
    return render(request, "portal/payment_list.html", shown)


@login_required
@require_safe
def payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Show one payment with its invoices and its time line."""
    found = access.payment_of_customer(request, payment_id)
    shown = {
        "payment": found,
        "allocations": allocations_of(found.id),
        "events": found.events.order_by("-at", "-id"),
        "decline": decline_in_words(found),
        "return_reason": return_in_words(found),
    }
    return render(request, "portal/payment_detail.html", shown)


@login_required
@require_POST
def switch_customer(request: HttpRequest) -> HttpResponse:
    """Work for another of the user's customers."""
    chosen = access.access_to(request, request.POST.get("access", ""))
    request.session["portal_access"] = str(chosen.id)
    return redirect("portal:payments")
