"""Says in sentences what became of the run of a day, or why there was none."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from payorcrm.core.clock import day_in
from payorcrm.core.write_dates import write_time
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import DayRun, DayRunState, Rule
from payorcrm.reminders.sending_days import schedule_of, why_no_sending_day


def tell_run(merchant: Merchant, *, day: date, run: DayRun | None, now: datetime) -> list[str]:
    """Return the sentences about a day's run."""
    if run:
        return _what_it_did(run, merchant)
    reason = why_no_sending_day(schedule_of(merchant), day)
    if day > day_in(merchant.time_zone, now):
        return [f"{reason} What falls due then is sent on your next day of sending."] if reason else []
    followed = DayRun.objects.filter(merchant=merchant, day__gt=day, step_days__contains=[day]).order_by("day").first()
    sentences = [reason] if reason else [_why_no_run(merchant, day, now)]
    if followed:
        return [*sentences, f"What fell due was for the run of {_in_words(followed.day)}."]
    if DayRun.objects.filter(merchant=merchant, day__gt=day).exists():
        sentences.append("No run followed within five days, nor on your next day of sending; it is not sent any more.")
    return sentences


def _why_no_run(merchant: Merchant, day: date, now: datetime) -> str:
    rules = Rule.objects.filter(merchant=merchant, is_active=True)
    if not rules.filter(active_since__lte=day).exists():
        return "No rule that is on today was on then." if rules.exists() else "No rule is on."
    schedule, local = schedule_of(merchant), now.astimezone(ZoneInfo(merchant.time_zone))
    if day == local.date() and local.time() < schedule.send_at:
        return f"The rules run at {write_time(schedule.send_at)}."
    if day == local.date():
        return "The rules are to run now; until then, nothing is sent."
    return "The rules did not run on this day; nothing was sent by them."


def _what_it_did(run: DayRun, merchant: Merchant) -> list[str]:
    at = run.started_at.astimezone(ZoneInfo(merchant.time_zone))
    began = f"The rules ran at {write_time(at)}" + ("." if at.date() == run.day else f" on {_in_words(at.date())}.")
    who = f" by {run.decided_by}" if run.decided_by else ""
    match run.state:
        case DayRunState.HELD:
            return [began, f"Nothing of this run was sent: it waits for a person. {run.held_because}"]
        case DayRunState.DROPPED:
            return [began, f"Nothing of this run was sent: it was dropped{who}. {run.held_because}"]
        case DayRunState.RELEASED:
            return [began, f"The run waited ({run.held_because.rstrip('.')}) and was released{who}."]
    return [began]


def _in_words(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
