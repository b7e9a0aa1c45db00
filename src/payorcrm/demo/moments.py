"""Days of the plan as moments of the merchant's working hours."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from payorcrm.demo.business import TIME_ZONE


def at_work(day: date, *, minute: int = 0) -> datetime:
    """Return a moment of a day, so many minutes after nine in the morning."""
    return datetime.combine(day, time(9 + minute // 60, minute % 60), ZoneInfo(TIME_ZONE))
