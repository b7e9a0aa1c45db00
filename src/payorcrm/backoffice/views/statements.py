"""Statements that go out by themselves: the rules and their runs."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.backoffice.access import (
    for_collectors,
    for_staff,
    statement_rule_of,
    statement_run_of,
)
from payorcrm.core import clock
from payorcrm.merchants.models import Staff
from payorcrm.reminders.sending_days import schedule_of
from payorcrm.statements.keep_rules import delete_rule, switch_statements_off, switch_statements_on
from payorcrm.statements.models import RunState, StatementRule, StatementRun
from payorcrm.statements.run_rules import StatementsNotHeld, drop_statements, release_statements

_FEW = 20
_MOST_LEFT_OUT = 200


@require_safe
@for_staff
def statements(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the rules with their switches, and the latest runs."""
    runs = StatementRun.objects.filter(merchant=staff.merchant).select_related("started_by")
    context = {
        "section": "statements",
        "rules": StatementRule.objects.filter(merchant=staff.merchant).select_related("template").order_by("name"),
        "runs": runs.order_by("-id")[:_FEW],
        "held": runs.filter(state=RunState.HELD, rule__isnull=False).order_by("-id")[:_FEW],
        "schedule": schedule_of(staff.merchant),
    }
    return render(request, "backoffice/statement_list.html", context)


@require_POST
@for_collectors
def switch(request: HttpRequest, staff: Staff, statement_rule_id: UUID) -> HttpResponse:
    """Switch a rule on or off, as the button said."""
    subject = statement_rule_of(staff, statement_rule_id)
    if request.POST.get("to") == "on":
        switch_statements_on(subject, now=clock.now())
        messages.success(request, f"“{subject}” is on. {_who(subject.expected_count)}")
    else:
        switch_statements_off(subject)
        messages.success(request, f"“{subject}” is off.")
    return redirect("backoffice:statements", merchant_slug=staff.merchant.slug)


def _who(count: int) -> str:
    return "1 customer would get a statement today." if count == 1 else f"{count:,} customers would get one today."


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def delete(request: HttpRequest, staff: Staff, statement_rule_id: UUID) -> HttpResponse:
    """Ask before deleting a rule; a POST deletes it."""
    subject = statement_rule_of(staff, statement_rule_id)
    if request.method == "POST":
        delete_rule(subject)
        messages.success(request, f"“{subject}” is deleted. What it sent stays in the history.")
        return redirect("backoffice:statements", merchant_slug=staff.merchant.slug)
    return render(request, "backoffice/statement_delete.html", {"section": "statements", "rule": subject})


@require_safe
@for_staff
def run(request: HttpRequest, staff: Staff, statement_run_id: UUID) -> HttpResponse:
    """Show one run: what became of its mails, who was left out, and what it waits for."""
    return _run(request, staff, statement_run_of(staff, statement_run_id))


def _run(request: HttpRequest, staff: Staff, subject: StatementRun, *, status: int = 200) -> HttpResponse:
    omissions = subject.omissions.select_related("customer").order_by("reason", "customer__company_name", "id")
    sent = subject.statements.select_related("mail", "customer").order_by("mail__state", "customer__company_name", "id")
    context = {
        "section": "statements",
        "run": subject,
        "counts": subject.counts_of_mails(),
        "statements": sent[:_MOST_LEFT_OUT],
        "omissions": omissions[:_MOST_LEFT_OUT],
        "omission_count": omissions.count(),
        "may_decide": subject.state == RunState.HELD and subject.rule_id is not None and staff.can_change(),
    }
    return render(request, "backoffice/statement_run.html", context, status=status)


@require_POST
@for_collectors
def decide(request: HttpRequest, staff: Staff, statement_run_id: UUID) -> HttpResponse:
    """Release a held run, or drop it; one that somebody has decided about is shown as it is."""
    subject = statement_run_of(staff, statement_run_id)
    try:
        said = _decide(subject, staff, request.POST.get("decision", ""))
    except StatementsNotHeld as refusal:
        messages.warning(request, str(refusal))
        return _run(request, staff, statement_run_of(staff, statement_run_id), status=refusal.status)
    messages.success(request, said)
    return redirect("backoffice:statement_run", merchant_slug=staff.merchant.slug, statement_run_id=subject.id)


def _decide(run: StatementRun, staff: Staff, decision: str) -> str:
    if decision == "release":
        released = release_statements(run_id=run.id, released_by=staff.user, now=clock.now())
        mails = "1 statement is" if released.mail_count == 1 else f"{released.mail_count:,} statements are"
        return f"Released: {mails} on the way."
    drop_statements(run_id=run.id, dropped_by=staff.user, now=clock.now())
    return "Nothing of this run is sent."
