"""Reminders that run by themselves: rules, their trial, the schedule, and runs that wait for a person."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.backoffice.access import day_run_of, for_collectors, for_staff
from payorcrm.backoffice.rule_forms import schedule_form
from payorcrm.core import clock
from payorcrm.merchants.models import Staff
from payorcrm.reminders.decide_run import NotHeld, drop_run, release_run
from payorcrm.reminders.describe_conditions import describe_briefly
from payorcrm.reminders.models import DayRun, DayRunState
from payorcrm.reminders.queries import holds_in_force, left_out_of, mails_of, missed_before, reminders_of, timetable_of
from payorcrm.reminders.sending_days import schedule_of
from payorcrm.reminders.switch_rules import rules_of
from payorcrm.reminders.weigh_run import owed_in, weigh_by_customer, weigh_by_rule

_FEW = 20
_MANY = 200


@require_safe
@for_staff
def rules(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the rules with their meanings and switches, and the latest runs."""
    found, now = rules_of(staff.merchant), clock.now()
    context = {
        "section": "reminders",
        "rules": found,
        "meanings": [(rule, describe_briefly(rule.conditions, currency=staff.merchant.currency)) for rule in found],
        "moved": request.GET.get("moved", ""),
        "timetable": timetable_of(staff.merchant, now=now),
        "hold_count": holds_in_force(staff.merchant, today=clock.day_in(staff.merchant.time_zone, now)),
        "runs": DayRun.objects.filter(merchant=staff.merchant).order_by("-day")[:_FEW],
        "schedule": schedule_of(staff.merchant),
    }
    return render(request, "backoffice/rule_list.html", context)


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
    return _day_run(request, day_run_of(staff, day_run_id))


def _day_run(request: HttpRequest, subject: DayRun, *, status: int = 200) -> HttpResponse:
    context = {
        "section": "reminders",
        "run": subject,
        "mails": mails_of(subject),
        "reminders": reminders_of(subject, most=_MANY),
        "left_out": left_out_of(subject, most=_MANY),
        "missed": missed_before(subject),
    }
    if subject.state == DayRunState.HELD:
        context |= {
            "owed": owed_in([subject.id]).get(subject.id, []),
            "by_rule": weigh_by_rule(subject),
            "by_customer": weigh_by_customer(subject),
        }
    return render(request, "backoffice/day_run.html", context, status=status)


def _mails_are(count: int) -> str:
    return "1 mail is" if count == 1 else f"{count:,} mails are"


@require_POST
@for_collectors
def decide(request: HttpRequest, staff: Staff, day_run_id: UUID) -> HttpResponse:
    """Release a held run, or drop it; one that somebody has decided about is shown as it is."""
    subject = day_run_of(staff, day_run_id)
    try:
        said = _decide(subject, staff, request.POST.get("decision", ""))
    except NotHeld as refusal:
        messages.warning(request, str(refusal))
        return _day_run(request, day_run_of(staff, day_run_id), status=refusal.status)
    messages.success(request, said)
    return redirect("backoffice:rules", merchant_slug=staff.merchant.slug)


def _decide(run: DayRun, staff: Staff, decision: str) -> str:
    if decision == "release":
        released = release_run(run_id=run.id, released_by=staff.user, now=clock.now())
        return f"Released: {_mails_are(released.mail_count)} on the way."
    drop_run(run_id=run.id, dropped_by=staff.user, now=clock.now())
    return "Nothing of this run is sent. The runs of other days go on."
