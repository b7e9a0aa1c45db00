"""On which days a merchant's rules send, and whose steps a run of a day sends."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import Schedule

if TYPE_CHECKING:
    from holidays import HolidayBase

# A step that could not be sent for longer than this is not sent any more, if there was another day to send it on.
LATEST = timedelta(days=5)
# Two holidays on Mondays put three weeks between two days of sending. Nobody pauses for longer than this.
FARTHEST_BACK = 60
WORKDAYS = [0, 1, 2, 3, 4]

IsSendingDay = Callable[[date], bool]


def schedule_of(merchant: Merchant) -> Schedule:
    """Return a merchant's schedule; until there is one, an unsaved one that says 9:00 on workdays."""
    return getattr(merchant, "schedule", None) or Schedule(merchant=merchant, weekdays=WORKDAYS)


def sending_days(schedule: Schedule) -> IsSendingDay:
    """Return what says whether a day is one of the chosen weekdays and no holiday."""
    if not schedule.country:
        return lambda day: day.weekday() in schedule.weekdays
    return lambda day: day.weekday() in schedule.weekdays and not _holiday(schedule, day)


def why_no_sending_day(schedule: Schedule, day: date) -> str:
    """Return why nothing is sent on a day: its weekday or its holiday; empty if something may be."""
    if day.weekday() not in schedule.weekdays:
        return f"{day:%A} is no day on which you send."
    name = _holiday(schedule, day) if schedule.country else ""
    return f"{name} is a public holiday." if name else ""


def _holiday(schedule: Schedule, day: date) -> str:
    return _holidays_of(schedule.country, schedule.subdivision, day.year).get(day) or ""


@lru_cache(maxsize=500)
def _holidays_of(country: str, subdivision: str, year: int) -> "HolidayBase":
    """Return the holidays of one year, all of them looked up, so that threads may share them."""
    from holidays import country_holidays  # a large library that few runs need

    return country_holidays(country, subdiv=subdivision or None, years=year, expand=False, language="en_US")


def run_day(schedule: Schedule, time_zone: str, now: datetime) -> date | None:
    """Return the day whose hour has come last, yesterday included; None where today is no day to send.

    Hours are those of the clock on the wall, so that an hour which a change of the clocks leaves out or repeats has
    come once.
    """
    local = now.astimezone(ZoneInfo(time_zone))
    today, is_sending_day = local.date(), sending_days(schedule)
    if not is_sending_day(today):
        return None
    if local.time() >= schedule.send_at:
        return today
    yesterday = today - timedelta(days=1)
    return yesterday if is_sending_day(yesterday) else None


def step_days(schedule: Schedule, day: date) -> list[date]:
    """Return the days whose steps a run of `day` sends: those that were to be sent within the last five days.

    What is due on a day without sending is to be sent on the next one with it. Where her weekdays and holidays leave no
    other chance within five days, the next sending day is one, however late: that is her calendar, and no outage.
    """
    is_sending_day = sending_days(schedule)
    found, chances = [day], 0
    for back in range(1, FARTHEST_BACK):
        each = day - timedelta(days=back)
        if is_sending_day(each):
            chances += 1
            if chances > 1 and day - each > LATEST:
                break
        found.append(each)
    return found[::-1]
