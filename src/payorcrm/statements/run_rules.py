"""The daily look at the rules: sends what is due today or was missed, once, or holds it for a person."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Avg, Max, QuerySet

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import Schedule
from payorcrm.reminders.sending_days import WORKDAYS, run_day, step_days
from payorcrm.reminders.templates import version_of
from payorcrm.statements.models import RunState, StatementRule, StatementRun
from payorcrm.statements.select import count_recipients
from payorcrm.statements.send import queue_statements

# Of a size that no person needs to look at.
FEW_MAILS = 20
RUNS_REMEMBERED = 12


class StatementsNotHeld(Refused):
    """A run that somebody decides about does not wait for anybody any more."""

    code = "statements_not_held"
    status: ClassVar[int] = 409
    message = "Somebody has decided about this run already. Nothing was changed."


def merchants_due(*, now: datetime) -> list[UUID]:
    """Return the merchants with a rule whose day and hour have come."""
    return list(dict.fromkeys(rule.merchant_id for rule, _ in _due(StatementRule.objects.all(), now)))


def run_statements_of(*, merchant_id: UUID, now: datetime) -> list[StatementRun]:
    """Run those of a merchant's rules whose day and hour have come."""
    due = _due(StatementRule.objects.filter(merchant=merchant_id), now)
    return [run for rule, day in due for run in run_rule(rule, day=day, now=now)]


def _due(rules: QuerySet[StatementRule], now: datetime) -> list[tuple[StatementRule, date]]:
    active = rules.filter(is_active=True).select_related("merchant__schedule").annotate(last_day=Max("runs__day"))
    return [
        (rule, day)
        for rule in active.order_by("id")
        if (day := due_day(rule, now=now)) and (rule.last_day is None or rule.last_day < day)
    ]


def due_day(rule: StatementRule, *, now: datetime) -> date | None:
    """Return the day whose statements are to be sent now: the last one within five days, of those missed.

    A day without sending is made up for on the next one with it. A statement says what is owed when it is sent, so
    that of several missed days only the last is worth a mail.
    """
    schedule = schedule_of_rule(rule)
    ran_on = run_day(schedule, rule.merchant.time_zone, now)
    if ran_on is None:
        return None
    days = [day for day in step_days(schedule, ran_on) if rule.falls_on(day) and day >= _since(rule)]
    return max(days, default=None)


def schedule_of_rule(rule: StatementRule) -> Schedule:
    """Return the merchant's hour and days of sending, which reminders have, too."""
    schedule = getattr(rule.merchant, "schedule", None)
    return schedule or Schedule(merchant=rule.merchant, weekdays=WORKDAYS)


def _since(rule: StatementRule) -> date:
    return rule.active_since or date.max


def run_rule(rule: StatementRule, *, day: date, now: datetime) -> list[StatementRun]:
    """Send the statements of a rule's day; nothing if another scheduler has done it."""
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=rule.merchant_id)
        rules = StatementRule.objects.filter(id=rule.id, is_active=True).exclude(runs__day__gte=day)
        current = rules.select_related("merchant__schedule", "template").first()
        if current is None or not current.falls_on(day):
            return []
        run = StatementRun.objects.create(
            merchant=current.merchant,
            rule=current,
            rule_name=current.name,
            template=current.template,
            version=version_of(current.template),
            includes_settled=current.includes_settled,
            day=day,
            started_at=now,
        )
        run.held_because = _why_to_hold(current, run, now)
        if run.held_because:
            run.state = RunState.HELD
            run.save()
        else:
            queue_statements(run, tree=current.conditions, now=now)
    return [run]


def _why_to_hold(rule: StatementRule, run: StatementRun, now: datetime) -> str:
    run.mail_count = count_recipients(rule, now=now).mail_count
    past = StatementRun.objects.filter(rule=rule, state__in=[RunState.SENT, RunState.RELEASED], mail_count__gt=0)
    latest = past.order_by("-day").values("mail_count")[:RUNS_REMEMBERED]
    usual = latest.aggregate(usual=Avg("mail_count"))["usual"]
    expected = rule.expected_count if usual is None else usual
    if run.mail_count <= max(FEW_MAILS, schedule_of_rule(rule).brake_factor * expected):
        return ""
    if usual is None:
        return f"It has {run.mail_count:,} statements; {expected:,} were expected when the rule was last changed."
    return f"It has {run.mail_count:,} statements; usual are {round(usual):,}."


def release_statements(*, run_id: UUID, released_by: User | None, now: datetime) -> StatementRun:
    """Send what a held run would have sent, as it is now. Raises StatementsNotHeld."""
    with transaction.atomic():
        run = _decide(run_id, RunState.RELEASED, released_by, now)
        assert run.rule is not None
        queue_statements(run, tree=run.rule.conditions, now=now)
    return run


def drop_statements(*, run_id: UUID, dropped_by: User | None, now: datetime) -> StatementRun:
    """Send nothing of a held run, ever. Raises StatementsNotHeld."""
    with transaction.atomic():
        run = _decide(run_id, RunState.DROPPED, dropped_by, now)
        run.mail_count = 0
        run.save()
    return run


def _decide(run_id: UUID, state: RunState, decided_by: User | None, now: datetime) -> StatementRun:
    runs = StatementRun.objects.select_for_update(of=("self",)).select_related("merchant", "rule", "template")
    run = runs.get(id=run_id)
    if run.state != RunState.HELD or run.rule is None:
        raise StatementsNotHeld
    run.state, run.decided_by, run.decided_at = state, decided_by, now
    return run
