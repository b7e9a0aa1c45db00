"""Days as people and programs write them. What could mean two days is refused, never guessed."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from payorcrm.core.errors import Refused

YEARS = range(1990, 2100)


class DateOrder(StrEnum):
    """In which order day, month and year stand in a date such as 03/04/2026."""

    MDY = "mdy"
    DMY = "dmy"
    YMD = "ymd"


class NotADate(Refused):
    """A text cannot be read as a day."""

    code: ClassVar[str] = "not_a_date"
    message: ClassVar[str] = "This is not a date."
    status: ClassVar[int] = 422


class AmbiguousDate(NotADate):
    """A text could mean two days."""

    code: ClassVar[str] = "ambiguous_date"


_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)\Z", re.ASCII)
_TIME_OF_DAY = re.compile(
    r"(?<=\d)(?:T|\s+)\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:[AP]M|Z|[+-]\d\d:?\d\d)?\Z", re.ASCII | re.IGNORECASE
)
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+", re.IGNORECASE)
_NUMERIC = re.compile(r"(\d{1,4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,4})\Z", re.ASCII)
_GAP = r"(?:\s*[-/,.]\s*|\s+)"
_MONTH_FIRST = re.compile(rf"([a-z]+)\.?{_GAP}?(\d{{1,2}})(?:st|nd|rd|th)?{_GAP}'?(\d{{4}}|\d\d)\Z", re.ASCII)
_DAY_FIRST = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)?{_GAP}?([a-z]+)\.?{_GAP}?'?(\d{{4}}|\d\d)\Z", re.ASCII)
_YEAR_FIRST = re.compile(rf"(\d{{4}}){_GAP}?([a-z]+)\.?{_GAP}?(\d{{1,2}})\Z", re.ASCII)

_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_MONTH_NUMBERS = {name: place for place, month in enumerate(_MONTHS, 1) for name in (month, month[:3])} | {"sept": 9}


def parse_date(text: str, order: DateOrder | None = None) -> date:
    """Read "2026-08-05", "8/25/2026", "25.8.2026", "Aug 5, 2026" or "5 August 26"; a time of day is ignored.

    `order` decides what digits alone leave open. Years of two digits are 1969 to 2068.
    Raises NotADate, AmbiguousDate.
    """
    iso = _ISO.match(text)
    day = _day_of(*map(int, iso.groups())) if iso else _slow_parse(text, order)
    if day is None:
        raise NotADate(f"“{text}” is not a date.")
    if day.year not in YEARS:
        raise NotADate(f"“{text}” is not between {YEARS[0]} and {YEARS[-1]}.")
    return day


def _slow_parse(text: str, order: DateOrder | None) -> date | None:
    bare = _TIME_OF_DAY.sub("", text.strip())
    numeric = _NUMERIC.match(bare)
    if numeric:
        return _from_digits(text, (numeric[1], numeric[3], numeric[4]), order)
    compact = _COMPACT.match(bare)
    return _day_of(*map(int, compact.groups())) if compact else _from_words(_WEEKDAY.sub("", bare, count=1).lower())


def _from_digits(text: str, parts: tuple[str, str, str], order: DateOrder | None) -> date | None:
    readings = dict(_readings(parts))
    if order in readings:
        return readings[order]
    days = sorted({day for day in readings.values() if day})
    if len(days) > 1:
        shown = " or ".join(f"{day:%B} {day.day}, {day.year}" for day in days)
        orders = " or ".join(f"--dates {name}" for name, day in readings.items() if day)
        raise AmbiguousDate(f"“{text}” could mean {shown}; say which with {orders}.")
    return days[0] if days else None


def _readings(parts: tuple[str, str, str]) -> Iterator[tuple[DateOrder, date | None]]:
    """Yield the day under every order that the number of digits allows; None where there is no such day."""
    for order in DateOrder:
        named = dict(zip(order.value, parts, strict=True))
        lengths = (len(named["y"]), max(len(named["m"]), len(named["d"])))
        if lengths[0] in (2, 4) and lengths[1] <= 2:
            yield order, _day_of(_full_year(named["y"]), int(named["m"]), int(named["d"]))


def _from_words(bare: str) -> date | None:
    for pattern, places in ((_MONTH_FIRST, (3, 1, 2)), (_DAY_FIRST, (3, 2, 1)), (_YEAR_FIRST, (1, 2, 3))):
        match = pattern.match(bare)
        if match:
            year, month, day = (match[place] for place in places)
            return _day_of(_full_year(year), _MONTH_NUMBERS.get(month, 0), int(day))
    return None


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    # POSIX strptime(3): 69 to 99 are of the last century.
    return year + (1900 if year >= 69 else 2000)


def _day_of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def days_left(until: datetime, *, now: datetime) -> int:
    """Return for how many days something still works, at least one; an hour in the queue of mails takes none away."""
    return max(1, (until - now + timedelta(hours=1)).days)
