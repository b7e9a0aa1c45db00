"""Days and moments as pages and mails write them, in the active language."""

from datetime import date, datetime, time
from functools import lru_cache

from babel.dates import format_date, format_datetime, format_time

from payorcrm.core.language import babel_locale

_MOMENTS = {"en_US": "MMM d, y, h:mm a", "es_US": "d MMM y, h:mm a"}
_LONG_MOMENTS = {"en_US": "MMMM d, y 'at' h:mm a zzz", "es_US": "d 'de' MMMM 'de' y, h:mm a zzz"}


def write_day(day: date) -> str:
    """Write a day as "Nov 22, 2026"."""
    return _write_day(day, "medium", babel_locale())


def write_long_day(day: date) -> str:
    """Write a day as "November 22, 2026"."""
    return _write_day(day, "long", babel_locale())


def write_moment(local: datetime) -> str:
    """Write a moment, which is in the reader's time zone already, as "Nov 22, 2026, 6:34 PM EST"."""
    return f"{_write_moment(local, _MOMENTS)} {local.tzname()}"


def write_long_moment(local: datetime) -> str:
    """Write a moment, which is in the reader's time zone already, as "November 22, 2026 at 6:34 PM EST"."""
    return _write_moment(local, _LONG_MOMENTS)


def write_time(local: datetime | time) -> str:
    """Write a time of day, which is in the reader's time zone already, as "6:34 PM"."""
    return str(format_time(local, "h:mm a", tzinfo=local.tzinfo, locale=babel_locale()))


# Babel takes 20 microseconds a day; a list shows the same few again and again.
@lru_cache(maxsize=8192)
def _write_day(day: date, length: str, locale: str) -> str:
    return str(format_date(day, length, locale))


def _write_moment(local: datetime, patterns: dict[str, str]) -> str:
    locale = babel_locale()
    if locale in patterns:
        return str(format_datetime(local, patterns[locale], tzinfo=local.tzinfo, locale=locale))
    return f"{format_date(local, 'medium', locale)}, {format_time(local, 'short', tzinfo=local.tzinfo, locale=locale)}"
