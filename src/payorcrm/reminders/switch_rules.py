"""The seven rules that every merchant starts with, switching a rule on and off, and changing it."""

from copy import copy
from datetime import datetime

from payorcrm.core.clock import day_in
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.arrange_rules import refusing_a_name_twice
from payorcrm.reminders.conditions import Tree, check_tree
from payorcrm.reminders.default_template import DEFAULT_UPCOMING_BODY, DEFAULT_UPCOMING_NAME, DEFAULT_UPCOMING_SUBJECT
from payorcrm.reminders.models import ReminderTemplate, Rule
from payorcrm.reminders.templates import template_for

DUE_IN = (10, 5)
OVERDUE = (7, 14, 30, 45, 60)


def rules_of(merchant: Merchant) -> list[Rule]:
    """Return a merchant's rules by position; the seven first ones are made on first use, switched off."""
    if not Rule.objects.filter(merchant=merchant).exists():
        _make_rules(merchant)
    rules = Rule.objects.filter(merchant=merchant, removed_at__isnull=True)
    return list(rules.select_related("template").order_by("position"))


def _make_rules(merchant: Merchant) -> None:
    upcoming, _ = ReminderTemplate.objects.get_or_create(
        merchant=merchant,
        name=DEFAULT_UPCOMING_NAME,
        defaults={"subject": DEFAULT_UPCOMING_SUBJECT, "body": DEFAULT_UPCOMING_BODY},
    )
    late = template_for(merchant)
    rules = [(f"Due in {days} days", upcoming, {"if": "due_in", "is": days}) for days in DUE_IN]
    rules += [(f"{days} days overdue", late, {"if": "overdue_exactly", "is": days}) for days in OVERDUE]
    Rule.objects.bulk_create(
        (
            Rule(merchant=merchant, name=name, template=template, conditions={"all": [condition]}, position=position)
            for position, (name, template, condition) in enumerate(rules)
        ),
        ignore_conflicts=True,
    )


def switch_on(rule: Rule, *, now: datetime) -> None:
    """Let a rule send from today on; what would have been due before is not sent. Raises ConditionsRefused."""
    check_tree(rule.conditions)
    off = Rule.objects.filter(id=rule.id, is_active=False, removed_at__isnull=True)
    off.update(is_active=True, active_since=day_in(rule.merchant.time_zone, now))
    rule.refresh_from_db(fields=["is_active", "active_since"])


def switch_off(rule: Rule) -> None:
    """Let a rule send nothing more; mails that are queued already still go out."""
    rule.is_active = False
    rule.save(update_fields=["is_active"])


def switched(rule: Rule, *, now: datetime) -> Rule:
    """Return a rule as it would be if it were switched from today on; nothing is stored."""
    other = copy(rule)
    other.is_active = not rule.is_active
    other.active_since = day_in(rule.merchant.time_zone, now) if other.is_active else rule.active_since
    return other


def changed(rule: Rule, *, name: str, template: ReminderTemplate, conditions: Tree, now: datetime) -> Rule:
    """Return a rule as it would be; a new condition counts from today. Nothing is stored. Raises ConditionsRefused."""
    check_tree(conditions)
    other = copy(rule)
    if rule.is_active and conditions != rule.conditions:
        other.active_since = day_in(rule.merchant.time_zone, now)
    other.name, other.template, other.conditions = name, template, conditions
    return other


def change_rule(rule: Rule, *, name: str, template: ReminderTemplate, conditions: Tree, now: datetime) -> Rule:
    """Store what a rule says; a new condition counts from today.

    Raises ConditionsRefused, RuleNameTaken, TemplateGone.
    """
    with refusing_a_name_twice():
        # Somebody may have switched it meanwhile.
        stored = Rule.objects.select_for_update(of=("self",)).select_related("merchant").get(id=rule.id)
        other = changed(stored, name=name, template=template, conditions=conditions, now=now)
        other.save(update_fields=["name", "template", "conditions", "active_since"])
    return other
