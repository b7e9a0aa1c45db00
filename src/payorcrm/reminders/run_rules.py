"""The daily run: finds merchants whose hour has come, sends what their rules say, or holds it for a person."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Min, Q

from payorcrm.merchants.models import Merchant
from payorcrm.reminders.brake import past_of, why_to_hold
from payorcrm.reminders.match import STEPS_TO_FREE, freed_since, match_rules
from payorcrm.reminders.models import DayRun, DayRunState, Rule, Schedule
from payorcrm.reminders.send_matched import claim_matched, send_matched
from payorcrm.reminders.sending_days import run_day, schedule_of, step_days
from payorcrm.reminders.tell_staff import tell_staff

# The day of a run is never further from today's in UTC.
RECENT = timedelta(days=3)


def merchants_due(*, now: datetime) -> list[UUID]:
    """Return the merchants whose hour has come and whose day has had no run."""
    merchants = Merchant.objects.filter(rules__is_active=True)
    merchants = merchants.annotate(first_day=Min("rules__active_since", filter=Q(rules__is_active=True)))
    done = set(DayRun.objects.filter(day__gte=now.date() - RECENT).values_list("merchant_id", "day"))
    return [
        merchant.id
        for merchant in merchants.select_related("schedule").order_by("id")
        if (day := run_day(schedule_of(merchant), merchant.time_zone, now))
        and day >= merchant.first_day
        and (merchant.id, day) not in done
    ]


def due_day(merchant: Merchant, now: datetime) -> date | None:
    """Return the day that a merchant's rules are to be run for now, if there is one."""
    day = run_day(schedule_of(merchant), merchant.time_zone, now)
    if day is None or DayRun.objects.filter(merchant=merchant, day=day).exists():
        return None
    return day if Rule.objects.filter(merchant=merchant, is_active=True, active_since__lte=day).exists() else None


def run_rules_of(*, merchant_id: UUID, now: datetime) -> list[DayRun]:
    """Run a merchant's rules if her hour has come; nothing if another scheduler has done it."""
    merchant = Merchant.objects.select_related("schedule").get(id=merchant_id)
    day = due_day(merchant, now)
    return run_rules(merchant=merchant, schedule=schedule_of(merchant), day=day, now=now) if day else []


def run_rules(*, merchant: Merchant, schedule: Schedule, day: date, now: datetime) -> list[DayRun]:
    """Run a merchant's rules for one day; nothing if another scheduler has done it."""
    days = step_days(schedule, day)
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=merchant.id)
        if DayRun.objects.filter(merchant=merchant, day=day).exists():
            return []
        run = DayRun.objects.create(merchant=merchant, day=day, started_at=now, step_days=days)
        _free_unsent(merchant, freed_since(schedule, day))
        rules = active_rules(merchant)
        run.rules = [_as_it_is(rule) for rule in rules]
        found = match_rules(rules, merchant=merchant, schedule=schedule, days=days, now=now)
        run.count(found)
        run.held_because = why_to_hold(run, schedule, rules, found, past_of(merchant))
        if run.held_because:
            run.state = DayRunState.HELD
            claim_matched(run)
            tell_staff(run, now=now)
        else:
            send_matched(run, rules, now)
        run.save()
    return [run]


def active_rules(merchant: Merchant) -> list[Rule]:
    """Return the rules that are switched on."""
    return list(Rule.objects.filter(merchant=merchant, is_active=True).select_related("template").order_by("position"))


def _as_it_is(rule: Rule) -> dict[str, object]:
    """Return what a run notes about a rule, which may be changed later."""
    since = rule.active_since.isoformat() if rule.active_since else None
    return {"id": str(rule.id), "name": rule.name, "since": since, "conditions": rule.conditions}


def _free_unsent(merchant: Merchant, since: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FREE, {"merchant": merchant.id, "since": since})


FREE = f"DELETE FROM reminders_step WHERE id IN ({STEPS_TO_FREE})"  # noqa: S608
