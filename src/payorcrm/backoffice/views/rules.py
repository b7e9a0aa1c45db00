"""Reminders that run by themselves: rules, their trial, the schedule, and runs that wait for a person."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.backoffice.access import NotYourRole, day_run_of, for_collectors, for_staff, rule_of
from payorcrm.backoffice.rule_forms import RuleForm, schedule_form
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Staff
from payorcrm.reminders.models import DayRun, Rule
from payorcrm.reminders.run_rules import drop_run, release_run
from payorcrm.reminders.sending_days import schedule_of
from payorcrm.reminders.switch_rules import change_rule, rules_of, switch_off, switch_on, try_rule

_FEW = 20


@require_safe
@for_staff
def rules(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the rules with their switches, and the latest runs."""
    context = {
        "section": "reminders",
        "rules": rules_of(staff.merchant),
        "runs": DayRun.objects.filter(merchant=staff.merchant).order_by("-day")[:_FEW],
        "schedule": schedule_of(staff.merchant),
    }
    return render(request, "backoffice/rule_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def rule(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Show a rule and whom it matches today; collectors may change it."""
    subject = rule_of(staff, rule_id)
    if request.method == "POST" and not staff.can_change():
        raise NotYourRole
    form = RuleForm(request.POST or None, rule=subject)
    if request.method == "POST" and form.is_valid() and _is_changed(subject, form):
        messages.success(request, "The rule is saved.")
        return redirect("backoffice:rule", merchant_slug=staff.merchant.slug, rule_id=subject.id)
    count, matches = try_rule(rule_of(staff, rule_id), now=clock.now())
    context = {"section": "reminders", "rule": subject, "form": form, "count": count, "matches": matches}
    return render(request, "backoffice/rule_page.html", context)


def _is_changed(subject: Rule, form: RuleForm) -> bool:
    name, template = form.cleaned_data["name"], form.cleaned_data["template"]
    try:
        change_rule(subject, name=name, template=template, conditions=form.conditions(), now=clock.now())
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


@require_POST
@for_collectors
def switch(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Switch a rule on or off, as the button said."""
    subject = rule_of(staff, rule_id)
    if request.POST.get("to") == "on":
        switch_on(subject, now=clock.now())
        messages.success(request, f"“{subject}” is on, for what becomes due from today.")
    else:
        switch_off(subject)
        messages.success(request, f"“{subject}” is off.")
    return redirect("backoffice:rules", merchant_slug=staff.merchant.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def schedule(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show and change when rules send."""
    form = schedule_form(request.POST or None, schedule_of(staff.merchant), staff.merchant)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The schedule is saved.")
        return redirect("backoffice:rules", merchant_slug=staff.merchant.slug)
    return render(request, "backoffice/schedule_page.html", {"section": "reminders", "form": form})


@require_safe
@for_staff
def day_run(request: HttpRequest, staff: Staff, day_run_id: UUID) -> HttpResponse:
    """Show one run: what was sent, who was left out, and what it waits for."""
    subject = day_run_of(staff, day_run_id)
    omissions = subject.omissions.select_related("customer").order_by("customer__company_name", "id")
    context = {"section": "reminders", "run": subject, "omissions": omissions[:_FEW]}
    return render(request, "backoffice/day_run.html", context)


@require_POST
@for_collectors
def decide(request: HttpRequest, staff: Staff, day_run_id: UUID) -> HttpResponse:
    """Release a held run, or drop it. Raises NotHeld."""
    subject = day_run_of(staff, day_run_id)
    if request.POST.get("decision") == "release":
        run = release_run(run_id=subject.id, released_by=staff.user, now=clock.now())
        messages.success(request, f"Released: {run.mail_count} mails are on the way.")
    else:
        drop_run(run_id=subject.id, dropped_by=staff.user, now=clock.now())
        messages.success(request, "Nothing of this run is sent.")
    return redirect("backoffice:rules", merchant_slug=staff.merchant.slug)
