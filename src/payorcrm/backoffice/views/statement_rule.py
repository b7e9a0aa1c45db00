"""One rule of statements: written, saved, and whom it would write to today."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import NotYourRole, for_collectors, for_staff, statement_rule_of
from payorcrm.backoffice.statement_forms import StatementRuleForm
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Staff
from payorcrm.statements.keep_rules import keep_rule
from payorcrm.statements.models import StatementRule
from payorcrm.statements.select import recipients_of
from payorcrm.statements.templates import statement_template


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def rule(request: HttpRequest, staff: Staff, statement_rule_id: UUID) -> HttpResponse:
    """Show a rule and who would get a statement today; collectors may change it."""
    subject = statement_rule_of(staff, statement_rule_id)
    if request.method == "POST" and not staff.can_change():
        raise NotYourRole
    return _shown_or_saved(request, staff, subject, is_new=False)


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def new(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Write a new rule; until somebody says otherwise, it sends on the first day of every month."""
    template = statement_template(staff.merchant)
    subject = StatementRule(merchant=staff.merchant, name="Monthly statement", template=template, month_day=1)
    return _shown_or_saved(request, staff, subject, is_new=True)


def _shown_or_saved(request: HttpRequest, staff: Staff, subject: StatementRule, *, is_new: bool) -> HttpResponse:
    form = StatementRuleForm(request.POST if request.method == "POST" else None, rule=subject)
    if request.method == "POST" and form.is_valid() and _is_kept(form):
        switch = "" if subject.is_active else " It is off: switch it on when you are sure of it."
        messages.success(request, f"The rule is saved.{switch}")
        return redirect("backoffice:statement_rule", staff.merchant.slug, subject.id)
    context = {
        "section": "statements",
        "rule": subject,
        "form": form,
        "is_new": is_new,
        "recipients": recipients_of(subject, now=clock.now()),
    }
    return render(request, "backoffice/statement_rule.html", context)


def _is_kept(form: StatementRuleForm) -> bool:
    try:
        keep_rule(form.fill(), now=clock.now())
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return False
    return True
