"""All runs that are due, one after another, as the jobs of every merchant would make them."""

from datetime import datetime

from payorcrm.reminders import run_rules
from payorcrm.reminders.models import DayRun
from payorcrm.statements import run_rules as statements
from payorcrm.statements.models import StatementRun


def run_due_rules(*, now: datetime) -> list[DayRun]:
    """Run the rules of every merchant whose hour has come and whose day has had no run."""
    due = run_rules.merchants_due(now=now)
    return [run for merchant_id in due for run in run_rules.run_rules_of(merchant_id=merchant_id, now=now)]


def run_due_statements(*, now: datetime) -> list[StatementRun]:
    """Run every rule of statements whose day and hour have come, at most once for a day."""
    due = statements.merchants_due(now=now)
    return [run for merchant_id in due for run in statements.run_statements_of(merchant_id=merchant_id, now=now)]
