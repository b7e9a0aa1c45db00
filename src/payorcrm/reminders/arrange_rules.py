"""Makes, copies, reorders and removes rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import ClassVar

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet

from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.conditions import Tree, check_tree
from payorcrm.reminders.models import ReminderTemplate, Rule
from payorcrm.reminders.templates import refusing_a_deleted_template

LONGEST_NAME = 100
# Each active rule is a statement of every run, and of each of the thirty days of a rehearsal.
MOST_RULES = 50


class RuleNameTaken(Refused):
    """Another rule of the merchant has this name."""

    code = "rule_name_taken"
    message = "Another rule has this name already."


class TooManyRules(Refused):
    """A merchant has as many rules as there may be."""

    code = "too_many_rules"
    status: ClassVar[int] = 422
    message = f"There are {MOST_RULES} rules already. Delete one that you do not need first."


@contextmanager
def refusing_a_name_twice() -> Iterator[None]:
    """Let the database say that a name is taken, or the template gone. Raises RuleNameTaken, TemplateGone."""
    try:
        with refusing_a_deleted_template():
            yield
    except IntegrityError as error:
        if "rule_name_unique" not in str(error):
            raise
        raise RuleNameTaken from error


def make_rule(*, merchant: Merchant, name: str, template: ReminderTemplate, conditions: Tree) -> Rule:
    """Store a new rule below the others, switched off.

    Raises ConditionsRefused, RuleNameTaken, TemplateGone, TooManyRules.
    """
    check_tree(conditions)
    with refusing_a_name_twice():
        _lock(merchant)
        if _rules(merchant).count() >= MOST_RULES:
            raise TooManyRules
        last = Rule.objects.filter(merchant=merchant).aggregate(last=Max("position"))["last"]
        return Rule.objects.create(
            merchant=merchant,
            name=name,
            template=template,
            conditions=conditions,
            position=0 if last is None else last + 1,
        )


def copy_rule(rule: Rule) -> Rule:
    """Store a rule once more under a name that is free, switched off. Raises TooManyRules."""
    taken = set(_rules(rule.merchant).values_list("name", flat=True))
    endings = (" (copy)" if number == 1 else f" (copy {number})" for number in count(1))
    names = (rule.name[: LONGEST_NAME - len(ending)] + ending for ending in endings)
    name = next(each for each in names if each not in taken)
    return make_rule(merchant=rule.merchant, name=name, template=rule.template, conditions=rule.conditions)


def move_up(rule: Rule) -> None:
    """Let a rule and the one above it change places; the first stays where it is."""
    with transaction.atomic():
        _lock(rule.merchant)
        rule.refresh_from_db(fields=["position"])
        _swap(rule, _rules(rule.merchant).filter(position__lt=rule.position).order_by("-position").first())


def move_down(rule: Rule) -> None:
    """Let a rule and the one below it change places; the last stays where it is."""
    with transaction.atomic():
        _lock(rule.merchant)
        rule.refresh_from_db(fields=["position"])
        _swap(rule, _rules(rule.merchant).filter(position__gt=rule.position).order_by("position").first())


def remove_rule(rule: Rule, *, now: datetime) -> None:
    """Let a rule send nothing more and be seen no more; mails that are queued already still go out."""
    Rule.objects.filter(id=rule.id, removed_at__isnull=True).update(is_active=False, removed_at=now)


def _rules(merchant: Merchant) -> QuerySet[Rule]:
    return Rule.objects.filter(merchant=merchant, removed_at__isnull=True)


def _lock(merchant: Merchant) -> None:
    Merchant.objects.select_for_update(no_key=True).get(id=merchant.id)


def _swap(rule: Rule, other: Rule | None) -> None:
    if other is None:
        return
    # Two rules never have one position, not even within a statement, so one of them steps aside.
    aside = Rule.objects.filter(merchant=rule.merchant).aggregate(last=Max("position"))["last"] + 1
    for each, position in ((rule, aside), (other, rule.position), (rule, other.position)):
        Rule.objects.filter(id=each.id).update(position=position)
