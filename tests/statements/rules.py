"""Rules of statements for tests."""

from datetime import datetime
from typing import Any

from payorcrm.merchants.models import Merchant
from payorcrm.statements.keep_rules import switch_statements_on
from payorcrm.statements.models import StatementRule
from payorcrm.statements.templates import statement_template
from tests.reminders.rules import LONG_AGO


def make_rule(merchant: Merchant, *, now: datetime = LONG_AGO, **fields: Any) -> StatementRule:
    """Make a rule that is on since `now`; without another day, it sends on Fridays."""
    if "month_day" not in fields:
        fields.setdefault("weekday", 4)
    defaults = {"name": f"Rule {StatementRule.objects.count() + 1}", "template": statement_template(merchant)}
    rule = StatementRule.objects.create(merchant=merchant, **(defaults | fields))
    switch_statements_on(rule, now=now)
    return rule
