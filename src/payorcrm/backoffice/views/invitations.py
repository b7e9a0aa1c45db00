"""Inviting customers to the portal: whom it would reach, the progress of a run, and who may sign in."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.backoffice.access import (
    access_of,
    customer_of,
    customers_of,
    for_collectors,
    for_staff,
    invitation_run_of,
)
from payorcrm.backoffice.audit import note_changes
from payorcrm.backoffice.chosen import NobodyChosen, customers_in, customers_or_all
from payorcrm.core import clock
from payorcrm.customers.invitation_runs import changes_of_run, plan_run, progress_of, send_test_invitation, start_run
from payorcrm.customers.portal_access import remove_access
from payorcrm.merchants.models import Staff


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def invite(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Say how many mails would go to which addresses; a POST sends them. Without customers, all are meant."""
    sent_in = request.POST if request.method == "POST" else request.GET
    try:
        chosen, ids = customers_or_all(staff, sent_in)
    except NobodyChosen as refusal:
        messages.warning(request, str(refusal))
        return redirect("backoffice:customers", merchant_slug=staff.merchant.slug)
    has_changed = request.method == "POST" and chosen.has_changed(sent_in)
    if request.method == "POST" and not has_changed:
        now = clock.now()
        run = start_run(merchant=staff.merchant, customer_ids=ids, started_by=staff.user, now=now)
        if run.started_at == now:  # not one that is under way
            note_changes(request, changes_of_run(run))
        return redirect("backoffice:invitation_run", merchant_slug=staff.merchant.slug, run_id=run.id)
    context = {
        "section": "customers",
        "chosen": chosen,
        "one": customers_of(staff, chosen.ids)[0] if len(chosen.ids) == 1 else None,
        "plan": plan_run(merchant=staff.merchant, customer_ids=ids),
        "has_changed": has_changed,
    }
    return render(request, "backoffice/invite_preview.html", context)


@require_POST
@for_collectors
def invite_test(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Mail an invitation to oneself, to see what customers will get."""
    send_test_invitation(merchant=staff.merchant, to=staff.user, now=clock.now())
    messages.success(request, f"A test invitation is on its way to {staff.user.email}. Its password opens nothing.")
    fields = customers_in(staff, request.POST).fields
    return redirect(f"{reverse('backoffice:invite', args=[staff.merchant.slug])}?{urlencode(fields)}")


@require_safe
@for_staff
def invitation_run(request: HttpRequest, staff: Staff, run_id: UUID) -> HttpResponse:
    """Show how far a run is; the page asks again until it is done."""
    run = invitation_run_of(staff, run_id)
    context = {"section": "customers", "run": run, "progress": progress_of(run)}
    name = "backoffice/invitation_progress.html" if request.htmx else "backoffice/invitation_run.html"  # type: ignore[attr-defined]
    return render(request, name, context)


@require_POST
@for_collectors
def remove_user(request: HttpRequest, staff: Staff, customer_id: UUID, access_id: UUID) -> HttpResponse:
    """End one user's access to a customer."""
    customer = customer_of(staff, customer_id)
    access = access_of(customer, access_id)
    remove_access(access=access, now=clock.now())
    messages.success(request, f"{access.user.email} can no longer sign in for {customer}.")
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)
