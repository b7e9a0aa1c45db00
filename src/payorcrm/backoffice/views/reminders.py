"""Sending reminders: first say how many mails go to whom, then send them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import chosen_customers, for_collectors
from payorcrm.backoffice.forms import ReminderForm
from payorcrm.core import clock
from payorcrm.merchants.models import Staff
from payorcrm.reminders.select import overdue_summary
from payorcrm.reminders.send import send_reminders
from payorcrm.reminders.templates import template_for


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def send(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Ask before reminding the chosen customers, or all who are overdue; a POST reminds them."""
    sent_in = request.POST if request.method == "POST" else request.GET
    if "chosen" in sent_in and "customer" not in sent_in:
        messages.warning(request, "Choose at least one customer first.")
        return redirect("backoffice:customers", merchant_slug=staff.merchant.slug)
    chosen = chosen_customers(staff, sent_in)
    template_for(staff.merchant)
    form = ReminderForm(sent_in if "min_days_overdue" in sent_in else None, merchant=staff.merchant)
    if request.method == "POST" and form.is_valid():
        return _send(request, staff, form, [customer.id for customer in chosen])
    customer_ids = [customer.id for customer in chosen] or None
    summary = overdue_summary(staff.merchant, clock.now(), form.least_days(), customer_ids=customer_ids)
    context = {"section": "reminders", "form": form, "chosen": chosen, "summary": summary}
    return render(request, "backoffice/reminder_send.html", context)


def _send(request: HttpRequest, staff: Staff, form: ReminderForm, customer_ids: list[UUID]) -> HttpResponse:
    run = send_reminders(
        merchant=staff.merchant,
        now=clock.now(),
        customer_ids=customer_ids or None,
        min_days_overdue=form.cleaned_data["min_days_overdue"],
        template=form.cleaned_data["template"],
        started_by=staff.user,
    )
    if run.reminder_count:
        mails = "1 reminder is" if run.reminder_count == 1 else f"{run.reminder_count} reminders are"
        messages.success(request, f"{mails} on the way. This list shows what becomes of each mail.")
    else:
        messages.warning(
            request, "No reminder was sent: those customers have just been reminded, or owe nothing overdue."
        )
    return redirect("backoffice:mails", merchant_slug=staff.merchant.slug)
