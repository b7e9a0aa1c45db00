"""What conditions have in common: the kinds of their values, what is wrong with a value, and what one is made of."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from payorcrm.core.money import is_currency

MOST_DAYS = 3650
MOST_COUNT = 1000
MOST_AMOUNT = 10**15
LONGEST_TEXT = 100


class Kind(Enum):
    """What stands behind a condition: the names of its values."""

    DAYS = ("days",)
    TWO_DAYS = ("least days", "most days")
    EVERY = ("days", "days between")
    COUNT = ("number",)
    TIMES = ("times",)
    AMOUNT = ("amount",)
    TWO_AMOUNTS = ("least amount", "most amount")
    TEXT = ("text",)
    CATEGORY = ("category",)
    CURRENCY = ("currency",)
    LANGUAGE = ("language",)
    DATE = ("day",)
    # Never empty: early releases of Python 3.11 take an empty value for a call without arguments.
    YES_OR_NO = ("answer",)

    @property
    def is_pair(self) -> bool:
        """Whether the value is a list of two."""
        return len(self.value) == 2


class About(Enum):
    """Under which heading a condition is offered."""

    DUE = "When it is due"
    INVOICE = "Invoice"
    REMINDERS = "Reminders so far"
    CUSTOMER = "Customer"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `label` has … for its values; `words` and `negated` finish a sentence."""

    about: About
    kind: Kind
    label: str
    words: str
    sql: str
    negated: str = ""


def problem_of(condition: Condition, value: Any) -> str:
    """Say what is wrong with a value in a sentence, or nothing."""
    kind = condition.kind
    if kind.is_pair:
        return _problem_of_two(kind, value)
    if kind is Kind.YES_OR_NO:
        return "" if isinstance(value, bool) else "Say yes or no."
    if kind is Kind.CURRENCY:
        return "" if isinstance(value, str) and is_currency(value) else "Choose a currency."
    if kind is Kind.DATE:
        return "" if _is_day(value) else "Enter a day, such as 2026-01-31."
    if kind in (Kind.TEXT, Kind.CATEGORY, Kind.LANGUAGE):
        is_right = isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_TEXT and "\0" not in value
        return "" if is_right else f"Enter 1 to {LONGEST_TEXT} characters."
    return _problem_of_number(kind, value)


def _problem_of_two(kind: Kind, value: Any) -> str:
    if not isinstance(value, list) or len(value) != 2:
        return "Enter two values."
    single = Kind.AMOUNT if kind is Kind.TWO_AMOUNTS else Kind.DAYS
    problems = [problem for each in value if (problem := _problem_of_number(single, each))]
    if problems:
        return problems[0]
    if kind is Kind.EVERY:
        return "" if value[1] else "Leave at least 1 day between two reminders."
    return "" if value[0] <= value[1] else "The first value must not be above the second."


def _problem_of_number(kind: Kind, value: Any) -> str:
    most = {Kind.DAYS: MOST_DAYS, Kind.COUNT: MOST_COUNT, Kind.TIMES: MOST_COUNT}.get(kind, MOST_AMOUNT)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return ""
    return "Enter an amount, such as 250.00." if kind is Kind.AMOUNT else f"Enter a whole number from 0 to {most}."


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
