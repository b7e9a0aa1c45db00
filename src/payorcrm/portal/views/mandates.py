"""The authorizations that a customer gave to debit a bank account, each with a copy to print or to be mailed."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from payorcrm.core.clock import now
from payorcrm.payment_methods.mails import queue_mandate_copy
from payorcrm.portal.access import Visit, for_customers, mandate_of_customer


@require_safe
@for_customers
def mandate(request: HttpRequest, visit: Visit, mandate_id: UUID) -> HttpResponse:
    """Show one authorization word for word, ready to be printed."""
    found = mandate_of_customer(visit, mandate_id)
    return render(request, "portal/mandate_page.html", {"section": "methods", "mandate": found})


@require_POST
@for_customers
def mail(request: HttpRequest, visit: Visit, mandate_id: UUID) -> HttpResponse:
    """Mail a copy of one authorization to the signed-in user."""
    found = mandate_of_customer(visit, mandate_id)
    queue_mandate_copy(found, to=visit.user, now=now())
    messages.success(request, _("A copy is on its way to %(address)s.") % {"address": visit.user.email})
    return redirect("portal:mandate", found.id)
