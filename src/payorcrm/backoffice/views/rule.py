"""One rule: written condition by condition, tried, rehearsed, saved, switched, copied, moved and deleted."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from payorcrm.backoffice.access import NotYourRole, for_collectors, for_staff, rule_of
from payorcrm.backoffice.customer_filter import category_choices
from payorcrm.backoffice.rule_draft import (
    draft_of,
    new_draft,
    offered,
    read_draft,
    tree_of,
)
from payorcrm.backoffice.rule_forms import RuleForm
from payorcrm.backoffice.views.rule_change import Difference, difference_of, written_before
from payorcrm.backoffice.written_rule import SHOW, WrittenRule, press, read_tree
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Staff
from payorcrm.reminders.arrange_rules import (
    LONGEST_NAME,
    RuleNameTaken,
    copy_rule,
    make_rule,
    move_down,
    move_up,
    remove_rule,
)
from payorcrm.reminders.conditions import Tree, check_tree
from payorcrm.reminders.describe_conditions import describe
from payorcrm.reminders.keep_rehearsal import change_of
from payorcrm.reminders.models import Rule
from payorcrm.reminders.switch_rules import change_rule, changed, switch_off, switch_on, switched
from payorcrm.reminders.templates import TemplateGone, template_for
from payorcrm.reminders.try_rule import Trial, try_rule

# Above every rule that is stored, as a new one will be.
_HIGHEST = 32_767


# Which field a refusal is about; any other is about the whole.
_FIELDS: dict[type[Refused], str] = {RuleNameTaken: "name", TemplateGone: "template"}


@dataclass(slots=True)
class _Page(WrittenRule):
    """What the page of a rule of reminders shows besides the rule."""

    trial: Trial | None = None
    difference: Difference | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def rule(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Show a rule and whom it matches today; collectors may change it."""
    subject = rule_of(staff, rule_id)
    if request.method == "POST":
        if not staff.can_change():
            raise NotYourRole
        return _pressed(request, staff, subject)
    if page := _drafted_before(request, staff, subject):
        return _rendered(request, staff, subject, page)
    draft = draft_of(subject.conditions, currency=staff.merchant.currency)
    page = _Page(draft, RuleForm(None, rule=subject), is_new=False, trial=try_rule(subject, now=clock.now()))
    page.meaning = describe(subject.conditions, currency=staff.merchant.currency)
    return _rendered(request, staff, subject, page)


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def new(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Write a new rule."""
    subject = Rule(merchant=staff.merchant, template=template_for(staff.merchant), conditions={}, position=_HIGHEST)
    if request.method == "POST":
        return _pressed(request, staff, subject)
    if page := _drafted_before(request, staff, subject):
        return _rendered(request, staff, subject, page)
    return _rendered(request, staff, subject, _Page(new_draft(), RuleForm(None, rule=subject), is_new=True))


def _drafted_before(request: HttpRequest, staff: Staff, subject: Rule) -> _Page | None:
    """Return the page as it was written when a rehearsal was asked for that is still kept."""
    draft = written_before(staff, subject, request.GET.get("draft", ""))
    if not staff.can_change():
        return None
    if draft is None:
        if "draft" in request.GET:
            messages.info(request, "What was written is kept for an hour, and gone now. Nothing of it was saved.")
        return None
    typed_in, currency = {name: draft[name] for name in ("name", "template")}, staff.merchant.currency
    form = RuleForm(None, rule=subject, typed_in=typed_in)
    page = _Page(draft_of(draft["conditions"], currency=currency), form, is_new=subject._state.adding)
    page.meaning = describe(draft["conditions"], currency=currency)
    return page


def _rendered(request: HttpRequest, staff: Staff, subject: Rule, page: _Page) -> HttpResponse:
    context = {
        "section": "reminders",
        "rule": subject,
        "page": page,
        "offered": offered(),
        "categories": category_choices(staff.merchant)[1:],
    }
    return render(request, "backoffice/rule_page.html", context)


def _pressed(request: HttpRequest, staff: Staff, subject: Rule) -> HttpResponse:
    """Do what a button of the page says with what the page describes."""
    sent_in, currency = request.POST, staff.merchant.currency
    button = sent_in.get("act", SHOW)
    typed_in = {name: sent_in.get(name, "") for name in ("name", "template")}
    page = _Page(read_draft(sent_in), RuleForm(None, rule=subject, typed_in=typed_in), is_new=subject._state.adding)
    tree = press(page, button, lambda: _tree_on(page, currency))
    if tree is not None and button == "save":
        return _saved(request, staff, subject, page, tree)
    if tree is not None and button in _TRIALS:
        _TRIALS[button](sent_in, subject, page, tree)
    return _rendered(request, staff, subject, page)


def _tree_on(page: _Page, currency: str) -> Tree | None:
    tree = tree_of(page.draft, currency=currency)
    return read_tree(page, tree, check=check_tree, means=partial(describe, currency=currency))


def _saved(request: HttpRequest, staff: Staff, subject: Rule, page: _Page, tree: Tree) -> HttpResponse:
    page.form = RuleForm(request.POST, rule=subject)
    if not page.form.is_valid():
        return _rendered(request, staff, subject, page)
    name, template = page.form.cleaned_data["name"], page.form.cleaned_data["template"]
    try:
        if page.is_new:
            stored = make_rule(merchant=staff.merchant, name=name, template=template, conditions=tree)
        else:
            stored = change_rule(subject, name=name, template=template, conditions=tree, now=clock.now())
    except Refused as refusal:
        page.form.add_error(_FIELDS.get(type(refusal)), str(refusal))
        return _rendered(request, staff, subject, page)
    switch = "" if stored.is_active else " It is off: switch it on when you are sure of it."
    messages.success(request, f"The rule is saved.{switch}")
    return redirect("backoffice:rule", merchant_slug=staff.merchant.slug, rule_id=stored.id)


def _written(sent_in: QueryDict, subject: Rule, page: _Page, tree: Tree) -> Rule:
    """Return the rule as it stands in the form."""
    form = RuleForm(sent_in, rule=subject)
    form.is_valid()
    name, template = sent_in.get("name", "").strip()[:LONGEST_NAME], form.cleaned_data.get("template")
    page.is_as_written = True
    return changed(
        subject, name=name or "This rule", template=template or subject.template, conditions=tree, now=clock.now()
    )


def _test(sent_in: QueryDict, subject: Rule, page: _Page, tree: Tree) -> None:
    page.trial = try_rule(_written(sent_in, subject, page, tree), now=clock.now())
    page.focus = "matches-title"


def _rehearse(sent_in: QueryDict, subject: Rule, page: _Page, tree: Tree) -> None:
    other, now = _written(sent_in, subject, page, tree), clock.now()
    kept = change_of(other if other.is_active else switched(other, now=now), is_written=True, now=now)
    page.difference = difference_of(kept)
    page.focus = "difference-title"


_TRIALS = {"test": _test, "rehearse": _rehearse}


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


@require_POST
@for_collectors
def copy(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Make a copy of a rule and open it."""
    stored = copy_rule(rule_of(staff, rule_id))
    messages.success(request, f"“{stored}” is made. It is off.")
    return redirect("backoffice:rule", merchant_slug=staff.merchant.slug, rule_id=stored.id)


@require_POST
@for_collectors
def move(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Move a rule up or down, as the button said."""
    subject = rule_of(staff, rule_id)
    if request.POST.get("to") == "up":
        move_up(subject)
    else:
        move_down(subject)
    return redirect(f"{reverse('backoffice:rules', args=[staff.merchant.slug])}?moved={subject.id}")


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def remove(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Ask before deleting a rule; a POST deletes it."""
    subject = rule_of(staff, rule_id)
    if request.method == "POST":
        remove_rule(subject, now=clock.now())
        messages.success(request, f"“{subject}” is deleted. What it sent stays in the history.")
        return redirect("backoffice:rules", merchant_slug=staff.merchant.slug)
    return render(request, "backoffice/rule_remove.html", {"section": "reminders", "rule": subject})
