"""The seven rules that every merchant starts with, switching a rule on and off, changing it, and trying it."""

from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from payorcrm.core.clock import day_in
from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.conditions import Tree, check_tree
from payorcrm.reminders.default_template import DEFAULT_UPCOMING_BODY, DEFAULT_UPCOMING_NAME, DEFAULT_UPCOMING_SUBJECT
from payorcrm.reminders.match import match_rules
from payorcrm.reminders.models import LeftOut, ReminderTemplate, Rule
from payorcrm.reminders.sending_days import schedule_of
from payorcrm.reminders.templates import template_for

DUE_IN = (10, 5)
OVERDUE = (7, 14, 30, 45, 60)
FEW = 50


class RuleNameTaken(Refused):
    """Another rule of the merchant has this name."""

    code = "rule_name_taken"
    message = "Another rule has this name already."


def rules_of(merchant: Merchant) -> list[Rule]:
    """Return a merchant's rules by position; the seven first ones are made on first use, switched off."""
    if not Rule.objects.filter(merchant=merchant).exists():
        _make_rules(merchant)
    return list(Rule.objects.filter(merchant=merchant).select_related("template").order_by("position"))


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
    if not rule.is_active:
        rule.is_active, rule.active_since = True, day_in(rule.merchant.time_zone, now)
        rule.save(update_fields=["is_active", "active_since"])


def switch_off(rule: Rule) -> None:
    """Let a rule send nothing more; mails that are queued already still go out."""
    rule.is_active = False
    rule.save(update_fields=["is_active"])


def change_rule(rule: Rule, *, name: str, template: ReminderTemplate, conditions: Tree, now: datetime) -> None:
    """Store what a rule says; a new condition counts from today. Raises ConditionsRefused, RuleNameTaken."""
    check_tree(conditions)
    if rule.is_active and conditions != rule.conditions:
        rule.active_since = day_in(rule.merchant.time_zone, now)
    rule.name, rule.template, rule.conditions = name, template, conditions
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError as error:
        if "rule_name_unique" not in str(error):
            raise
        raise RuleNameTaken from error


Match = tuple[UUID, str, list[str], Money, date, str]


def try_rule(rule: Rule, *, now: datetime) -> tuple[int, list[Match]]:
    """Count the customers whom a rule matches today, and show the first: what, how much, and why no mail would go.

    Nothing is sent or stored; what it sent today already is not matched again.
    """
    merchant = rule.merchant
    with transaction.atomic(), connection.cursor() as cursor:
        days = [day_in(merchant.time_zone, now)]
        match_rules([rule], merchant=merchant, schedule=schedule_of(merchant), days=days, now=now)
        cursor.execute(SHOW, {"few": FEW})
        rows = cursor.fetchall()
    shown = [
        (customer_id, name, numbers, Money(int(amount), currency), oldest, LeftOut(left_out).label if left_out else "")
        for _, customer_id, name, numbers, amount, currency, oldest, left_out in rows
    ]
    return (rows[0][0] if rows else 0), shown


SHOW = """
SELECT count(*) OVER (), considered.customer_id, customer.company_name,
    array_agg(invoice.number ORDER BY invoice.due_on),
    sum(invoice.balance), considered.currency, oldest_due_on, left_out
FROM considered
JOIN customers_customer AS customer ON customer.id = considered.customer_id
JOIN invoices_invoice AS invoice ON invoice.id = ANY(invoice_ids)
GROUP BY considered.customer_id, customer.company_name, considered.currency, oldest_due_on, left_out
ORDER BY lower(customer.company_name), considered.currency LIMIT %(few)s
"""
