"""One rule of statements: written condition by condition, saved, and whom it would write to today."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import NotYourRole, for_collectors, for_staff, statement_rule_of
from payorcrm.backoffice.customer_filter import category_choices
from payorcrm.backoffice.rule_draft import (
    Group,
    draft_of,
    numbered,
    offered,
    read_draft,
    tree_of,
)
from payorcrm.backoffice.statement_forms import StatementRuleForm, typed_in
from payorcrm.backoffice.written_rule import SHOW, WrittenRule, press, read_tree
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Staff
from payorcrm.reminders.condition_kinds import About
from payorcrm.reminders.conditions import Tree
from payorcrm.reminders.describe_conditions import clause
from payorcrm.statements.conditions import check_customers
from payorcrm.statements.keep_rules import keep_rule
from payorcrm.statements.models import StatementRule
from payorcrm.statements.select import Recipients, recipients_of
from payorcrm.statements.templates import statement_template

_EVERYONE = "Every customer who owes something gets a statement."


@dataclass(slots=True)
class _Page(WrittenRule):
    """What the page of a rule of statements shows besides the rule."""

    recipients: Recipients | None = None

    opening: ClassVar[str] = "A customer gets a statement when"


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def rule(request: HttpRequest, staff: Staff, statement_rule_id: UUID) -> HttpResponse:
    """Show a rule and who would get a statement today; collectors may change it."""
    subject = statement_rule_of(staff, statement_rule_id)
    if request.method == "POST":
        if not staff.can_change():
            raise NotYourRole
        return _pressed(request, staff, subject)
    return _rendered(request, staff, subject, _stored(subject))


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def new(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Write a new rule; until somebody says otherwise, it sends on the first day of every month, to everyone."""
    template = statement_template(staff.merchant)
    subject = StatementRule(merchant=staff.merchant, name="Monthly statement", template=template, month_day=1)
    if request.method == "POST":
        return _pressed(request, staff, subject)
    return _rendered(request, staff, subject, _stored(subject))


def _stored(subject: StatementRule) -> _Page:
    currency = subject.merchant.currency
    draft = draft_of(subject.conditions, currency=currency) if subject.conditions else numbered(Group())
    page = _Page(draft, StatementRuleForm(None, rule=subject), subject._state.adding)
    page.meaning = _meaning(subject.conditions, currency)
    page.recipients = recipients_of(subject, now=clock.now())
    return page


def _meaning(tree: Tree, currency: str) -> str:
    words = clause(tree, currency=currency, customer="the customer") if tree else ""
    return f"A statement goes out when {words}." if words else _EVERYONE


def _rendered(request: HttpRequest, staff: Staff, subject: StatementRule, page: _Page) -> HttpResponse:
    context = {
        "section": "statements",
        "rule": subject,
        "page": page,
        "offered": offered(About.CUSTOMER),
        "categories": category_choices(staff.merchant)[1:],
    }
    return render(request, "backoffice/statement_rule.html", context)


def _pressed(request: HttpRequest, staff: Staff, subject: StatementRule) -> HttpResponse:
    """Do what a button of the page says with what the page describes."""
    button = request.POST.get("act", SHOW)
    form = StatementRuleForm(None, rule=subject, typed_in=typed_in(request.POST))
    page = _Page(read_draft(request.POST), form, subject._state.adding)
    tree = press(page, button, lambda: _tree_on(page, staff.merchant.currency))
    if tree is not None and button in ("save", "test"):
        page.form = StatementRuleForm(request.POST, rule=subject)
        if page.form.is_valid():
            page.form.fill().conditions = tree
            if button == "save":
                return _saved(request, staff, subject, page)
            page.recipients, page.is_as_written = recipients_of(subject, now=clock.now()), True
            page.focus = "who-title"
    return _rendered(request, staff, subject, page)


def _tree_on(page: _Page, currency: str) -> Tree | None:
    tree = tree_of(page.draft, currency=currency) if page.draft.parts else {}
    return read_tree(page, tree, check=check_customers, means=partial(_meaning, currency=currency))


def _saved(request: HttpRequest, staff: Staff, subject: StatementRule, page: _Page) -> HttpResponse:
    try:
        keep_rule(subject, now=clock.now())
    except Refused as refusal:
        page.form.add_error(None, str(refusal))
        return _rendered(request, staff, subject, page)
    switch = "" if subject.is_active else " It is off: switch it on when you are sure of it."
    messages.success(request, f"The rule is saved.{switch}")
    return redirect("backoffice:statement_rule", staff.merchant.slug, subject.id)
