"""Makes, changes and deletes rules, and switches them on and off."""

from datetime import datetime

from django.db import IntegrityError, transaction

from payorcrm.core.clock import day_in
from payorcrm.core.errors import Refused
from payorcrm.reminders.templates import refusing_a_deleted_template
from payorcrm.statements.conditions import check_customers
from payorcrm.statements.models import RunState, StatementRule, StatementRun
from payorcrm.statements.select import count_recipients


class StatementRuleNameTaken(Refused):
    """Another rule of the merchant has this name."""

    code = "statement_rule_name_taken"
    message = "Another rule has this name already."


def keep_rule(rule: StatementRule, *, now: datetime) -> None:
    """Store a new or changed rule; what is new about one that is on counts from today.

    Raises ConditionsRefused, StatementRuleNameTaken, TemplateGone.
    """
    check_customers(rule.conditions)
    if rule.is_active and _sends_otherwise(rule):
        _count_from_today(rule, now)
    try:
        with refusing_a_deleted_template():
            rule.save()
    except IntegrityError as error:
        if "statement_rule_name_unique" not in str(error):
            raise
        raise StatementRuleNameTaken from error


def _sends_otherwise(rule: StatementRule) -> bool:
    """Say whether what is to be stored differs in when or to whom it sends."""
    names = ("weekday", "month_day", "conditions", "includes_settled")
    stored = StatementRule.objects.filter(id=rule.id).values(*names).first()
    return stored != {name: getattr(rule, name) for name in names}


def switch_statements_on(rule: StatementRule, *, now: datetime) -> None:
    """Let a rule send from today on; what would have been due before is not sent."""
    if not rule.is_active:
        rule.is_active = True
        _count_from_today(rule, now)
        rule.save(update_fields=["is_active", "active_since", "expected_count"])


def _count_from_today(rule: StatementRule, now: datetime) -> None:
    rule.active_since = day_in(rule.merchant.time_zone, now)
    rule.expected_count = count_recipients(rule, now=now).mail_count


def switch_statements_off(rule: StatementRule) -> None:
    """Let a rule send nothing more; mails that are queued already still go out."""
    rule.is_active = False
    rule.save(update_fields=["is_active"])


def delete_rule(rule: StatementRule) -> None:
    """Delete a rule. Its runs stay; one that waits for a person is not sent any more."""
    with transaction.atomic():
        StatementRun.objects.filter(rule=rule, state=RunState.HELD).update(state=RunState.DROPPED, mail_count=0)
        rule.delete()
