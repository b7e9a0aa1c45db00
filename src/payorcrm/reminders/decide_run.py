"""Decides about a run that waits for a person: it is sent, or never."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.match import match_claimed
from payorcrm.reminders.models import DayRun, DayRunState, Step, StepState
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.send_matched import let_lapse, send_matched
from payorcrm.reminders.sending_days import schedule_of


class NotHeld(Refused):
    """A run that somebody decides about does not wait for anybody any more."""

    code = "not_held"
    status: ClassVar[int] = 409
    message = "Somebody has decided about this run already. Nothing was changed."


def release_run(*, run_id: UUID, released_by: User | None, now: datetime) -> DayRun:
    """Send what a held run would have sent and is still owed and due. Raises NotHeld."""
    with transaction.atomic():
        run = _decide(run_id, DayRunState.RELEASED, released_by, now)
        rules = active_rules(run.merchant)
        run.count(match_claimed(rules, run=run, schedule=schedule_of(run.merchant), now=now))
        send_matched(run, rules, now)
        let_lapse(run)
        run.save()
    return run


def drop_run(*, run_id: UUID, dropped_by: User | None, now: datetime) -> DayRun:
    """Send nothing of a held run, ever: its steps count as done. Raises NotHeld."""
    with transaction.atomic():
        run = _decide(run_id, DayRunState.DROPPED, dropped_by, now)
        Step.objects.filter(day_run=run, state=StepState.HELD).update(state=StepState.DROPPED)
        run.save()
    return run


def _decide(run_id: UUID, state: DayRunState, decided_by: User | None, now: datetime) -> DayRun:
    run = DayRun.objects.select_for_update(of=("self",)).select_related("merchant").get(id=run_id)
    if run.state != DayRunState.HELD:
        raise NotHeld
    # Runs and reminders by hand of one merchant wait for each other.
    Merchant.objects.select_for_update(no_key=True).get(id=run.merchant_id)
    run.state, run.decided_by, run.decided_at = state, decided_by, now
    return run
