"""Ending reminders from the link in their footer, or by a mail program's own button (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt

from payorcrm.core.clock import now
from payorcrm.customers.unsubscribe import end_reminders, resume_reminders
from payorcrm.portal import access
from payorcrm.portal.visitor import private_page


@csrf_exempt  # a mail provider posts here without a page of ours; the signed link is the permission
@private_page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show whether reminders go out; POST ends them, or takes that back."""
    customer = access.customer_to_unsubscribe(request, token)
    if request.POST.get("List-Unsubscribe") == "One-Click":
        end_reminders(customer=customer, now=now())
        return HttpResponse("Reminders are switched off.", content_type="text/plain")  # section 3.1: no redirection
    if request.method == "POST":
        if request.POST.get("action") == "resume":
            resume_reminders(customer=customer)
        else:
            end_reminders(customer=customer, now=now())
        return redirect("portal:unsubscribe", token)
    return render(request, "portal/unsubscribe.html", {"customer": customer})
