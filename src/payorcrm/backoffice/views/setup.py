"""The checklist of a new merchant: passing over a step, closing the list, and the test to oneself."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from payorcrm.backoffice.access import for_collectors
from payorcrm.backoffice.setup_steps import STEPS, open_setup
from payorcrm.core import clock
from payorcrm.customers.models import Customer
from payorcrm.merchants.close_setup import close_setup, skip_step, take_step_up
from payorcrm.merchants.models import Staff
from payorcrm.reminders.send_test import send_test
from payorcrm.reminders.templates import template_for


@require_POST
@for_collectors
def skip(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Pass over a step, or take it up again."""
    name = request.POST.get("step", "")
    if name not in {step.name for step in STEPS}:
        raise Http404
    if "again" in request.POST:
        take_step_up(staff.merchant, name)
    else:
        skip_step(staff.merchant, name)
    return _back(staff)


@require_POST
@for_collectors
def close(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Take the checklist away for everybody of the merchant."""
    close_setup(staff.merchant, now=clock.now())
    messages.success(request, "The checklist is closed. All of it stays reachable in Settings and Reminders.")
    return redirect("backoffice:dashboard", merchant_slug=staff.merchant.slug)


@require_POST
@for_collectors
def test(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Mail the person the reminder that the customer who is overdue longest would get, or one of invented invoices."""
    now = clock.now()
    template = template_for(staff.merchant)
    send_test(
        merchant=staff.merchant,
        customer=_most_overdue(staff),
        subject=template.subject,
        body=template.body,
        asked_by=staff.user,
        now=now,
    )
    messages.success(request, f"A test reminder is on its way to {staff.user.email}. No customer hears of it.")
    return _back(staff)


def _most_overdue(staff: Staff) -> Customer | None:
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    owing = Customer.objects.filter(merchant=staff.merchant_id, invoices__status="open", invoices__due_on__lt=today)
    return owing.order_by("invoices__due_on", "id").first()


def _back(staff: Staff) -> HttpResponse:
    place = reverse("backoffice:dashboard", args=[staff.merchant.slug])
    return redirect(f"{place}#setup" if open_setup(staff.merchant) else place)
