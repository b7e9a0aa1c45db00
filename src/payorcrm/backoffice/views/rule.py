"""One rule: written condition by condition, tried, rehearsed, saved, switched, copied, moved and deleted."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.backoffice.access import NotYourRole, for_collectors, for_staff, rule_of
from payorcrm.backoffice.customer_filter import category_choices
from payorcrm.backoffice.rule_draft import (
    Group,
    act,
    control_of,
    draft_of,
    first_problem,
    forget_problems,
    new_draft,
    offered,
    read_draft,
    tree_of,
)
from payorcrm.backoffice.rule_forms import RuleForm
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
from payorcrm.reminders.conditions import ConditionsRefused, Tree, check_tree
from payorcrm.reminders.describe_conditions import describe
from payorcrm.reminders.models import Rule
from payorcrm.reminders.rehearse import Difference, rehearse_change
from payorcrm.reminders.switch_rules import change_rule, changed, switch_off, switch_on, switched
from payorcrm.reminders.templates import TemplateGone, template_for
from payorcrm.reminders.try_rule import Trial, try_rule

# Above every rule that is stored, as a new one will be.
_HIGHEST = 32_767
# A press that only asks for the words must not complain about what is not filled in yet.
_QUIET = "show"


@dataclass(slots=True)
class _Page:
    """What the page of a rule shows besides the rule."""

    draft: Group
    form: RuleForm
    is_new: bool
    meaning: str = ""
    refusal: str = ""
    focus: str = ""
    said: str = ""
    trial: Trial | None = None
    difference: Difference | None = None
    is_as_written: bool = False  # the trial is of what stands in the form


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def rule(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Show a rule and whom it matches today; collectors may change it."""
    subject = rule_of(staff, rule_id)
    if request.method == "POST":
        if not staff.can_change():
            raise NotYourRole
        return _pressed(request, staff, subject, is_new=False)
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
        return _pressed(request, staff, subject, is_new=True)
    return _rendered(request, staff, subject, _Page(new_draft(), RuleForm(None, rule=subject), is_new=True))


def _rendered(request: HttpRequest, staff: Staff, subject: Rule, page: _Page) -> HttpResponse:
    context = {
        "section": "reminders",
        "rule": subject,
        "page": page,
        "offered": offered(),
        "categories": category_choices(staff.merchant)[1:],
    }
    return render(request, "backoffice/rule_page.html", context)


def _pressed(request: HttpRequest, staff: Staff, subject: Rule, *, is_new: bool) -> HttpResponse:
    """Do what a button of the page says with what the page describes."""
    sent_in = request.POST
    press = sent_in.get("act", _QUIET)
    typed_in = {name: sent_in.get(name, "") for name in ("name", "template")}
    page = _Page(read_draft(sent_in), RuleForm(None, rule=subject, typed_in=typed_in), is_new=is_new)
    step = act(page.draft, press)
    if step:
        page.focus, page.said = step.focus, step.said
    tree = _checked(page, staff.merchant.currency, is_quiet=bool(step) or press == _QUIET)
    if step is None and tree is not None:
        if press == "save":
            return _saved(request, staff, subject, page, tree)
        if press in _TRIALS:
            _TRIALS[press](sent_in, subject, page, tree)
    return _rendered(request, staff, subject, page)


def _checked(page: _Page, currency: str, *, is_quiet: bool) -> Tree | None:
    """Return the tree of the page if it means something, and say what it means or what is wrong."""
    tree = tree_of(page.draft, currency=currency)
    wrong = first_problem(page.draft)
    if wrong is None:
        try:
            check_tree(tree)
        except ConditionsRefused as refusal:
            page.refusal = "" if is_quiet else str(refusal)
            return None
        page.meaning = describe(tree, currency=currency)
        return tree
    if is_quiet:
        forget_problems(page.draft)
    else:
        page.focus = control_of(wrong)
    return None


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
    except RuleNameTaken as refusal:
        page.form.add_error("name", str(refusal))
        return _rendered(request, staff, subject, page)
    except TemplateGone as refusal:
        page.form.add_error("template", str(refusal))
        return _rendered(request, staff, subject, page)
    except Refused as refusal:
        page.form.add_error(None, str(refusal))
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
    other = _written(sent_in, subject, page, tree)
    page.difference = rehearse_change(other if other.is_active else switched(other, now=clock.now()), now=clock.now())
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


@require_safe
@for_staff
def rehearsal(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Show what switching a rule would change in the coming days."""
    subject = rule_of(staff, rule_id)
    difference = rehearse_change(switched(subject, now=clock.now()), now=clock.now())
    context = {"section": "reminders", "rule": subject, "difference": difference}
    return render(request, "backoffice/rule_rehearsal.html", context)


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
