"""What time it is, everywhere: aware datetimes in UTC, days in a merchant's time zone.

The clock can be moved as a whole by `PAYORCRM_CLOCK_OFFSET` (seconds), so that a demo can look at next week.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


def now() -> datetime:
    """Return the present moment in UTC, moved by the configured offset."""
    return datetime.now(UTC) + timedelta(seconds=settings.CLOCK_OFFSET_SECONDS)


def day_in(time_zone: str, moment: datetime) -> date:
    """Return the calendar day that `moment` falls on in a time zone such as `America/New_York`."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def wall_time(zone: ZoneInfo, moment: datetime) -> datetime:
    """Return what a clock on the wall shows at `moment`, to the second: files of tables know no zones."""
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)
