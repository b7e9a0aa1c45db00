"""Sending reminders: first say how many mails go to whom, then send them."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import customers_of, for_collectors
from payorcrm.backoffice.audit import note_changes
from payorcrm.backoffice.chosen import Chosen, NobodyChosen, customers_or_all, invoices_in
from payorcrm.backoffice.forms import ReminderForm
from payorcrm.core import clock
from payorcrm.merchants.models import Staff
from payorcrm.reminders.select import OverdueSummary, overdue_summary
from payorcrm.reminders.send import OthersThanSeen, send_reminders
from payorcrm.reminders.templates import template_for
from payorcrm.reminders.write_down import changes_of_run


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def send(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Ask before reminding the chosen customers, or all who are overdue; a POST reminds them."""
    sent_in = request.POST if request.method == "POST" else request.GET
    try:
        chosen, ids = customers_or_all(staff, sent_in)
    except NobodyChosen as refusal:
        messages.warning(request, str(refusal))
        return redirect("backoffice:customers", merchant_slug=staff.merchant.slug)
    return _ask_or_send(request, staff, chosen, {"customer_ids": ids}, noun="customer")


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def send_about_invoices(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Ask before reminding of the chosen invoices and no others; a POST reminds of them."""
    chosen = invoices_in(staff, request.POST if request.method == "POST" else request.GET)
    if not chosen.ids:
        messages.warning(request, "Choose at least one invoice first.")
        return redirect("backoffice:invoices", merchant_slug=staff.merchant.slug)
    return _ask_or_send(request, staff, chosen, {"invoice_ids": chosen.ids}, noun="invoice")


def _ask_or_send(
    request: HttpRequest, staff: Staff, chosen: Chosen, of_whom: dict[str, Any], *, noun: str
) -> HttpResponse:
    sent_in = request.POST if request.method == "POST" else request.GET
    template_for(staff.merchant)
    form = ReminderForm(sent_in if "min_days_overdue" in sent_in else None, merchant=staff.merchant)
    has_changed = request.method == "POST" and chosen.has_changed(sent_in)
    if request.method == "POST" and form.is_valid() and not has_changed:
        # Whoever was ticked was meant; of a list that nobody ticked, only what was shown.
        seen = request.POST.get("seen", "") if chosen.is_everything or not chosen.ids else None
        try:
            return _send(request, staff, form, of_whom | {"seen": seen})
        except OthersThanSeen:
            has_changed = True
    return _ask(request, staff, chosen, of_whom, form, noun=noun, has_changed=has_changed)


def _ask(
    request: HttpRequest,
    staff: Staff,
    chosen: Chosen,
    of_whom: dict[str, Any],
    form: ReminderForm,
    **also_shown: Any,
) -> HttpResponse:
    summary = overdue_summary(staff.merchant, clock.now(), form.least_days(), **of_whom)
    context = {
        "section": "reminders",
        "form": form,
        "chosen": chosen,
        "one": _name_of(staff, chosen, also_shown["noun"]),
        "summary": summary,
        "seen_count": _number((request.POST or request.GET).get("mails", "")),
        "not_due_count": max(0, len(chosen.ids) - _considered(summary, also_shown["noun"])),
        **also_shown,
    }
    return render(request, "backoffice/reminder_send.html", context)


def _considered(summary: OverdueSummary, noun: str) -> int:
    """Return how many of the chosen are mailed about or to, or left out for a reason that is named."""
    if noun == "customer":
        return summary.overdue_count
    return summary.invoice_count + sum(each.invoice_count for each in summary.left_out)


def _number(typed: str) -> int | None:
    """Return how many mails a form was about, to say how many there are now instead."""
    return int(typed) if typed.isdecimal() and len(typed) < 9 else None


def _name_of(staff: Staff, chosen: Chosen, noun: str) -> str:
    """Return the name of the only customer, to ask by it."""
    if noun != "customer" or len(chosen.ids) != 1:
        return ""
    return str(customers_of(staff, chosen.ids)[0])


def _send(request: HttpRequest, staff: Staff, form: ReminderForm, of_whom: dict[str, Any]) -> HttpResponse:
    run = send_reminders(
        merchant=staff.merchant,
        now=clock.now(),
        min_days_overdue=form.cleaned_data["min_days_overdue"],
        template=form.cleaned_data["template"],
        started_by=staff.user,
        **of_whom,
    )
    note_changes(request, changes_of_run(run))
    if run.reminder_count:
        mails = "1 reminder is" if run.reminder_count == 1 else f"{run.reminder_count} reminders are"
        messages.success(request, f"{mails} on the way. This list shows what becomes of each mail.")
    else:
        messages.warning(
            request, "No reminder was sent: those customers have just been reminded, or owe nothing overdue."
        )
    return redirect("backoffice:mails", merchant_slug=staff.merchant.slug)
