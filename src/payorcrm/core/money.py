"""Money: an exact count of minor units in one currency. Parsing and formatting live here alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import ClassVar, Self

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision

from payorcrm.core.errors import Inconsistent, Refused


class MixedCurrencies(Inconsistent):
    """An addition or comparison met two currencies."""

    code = "mixed_currencies"
    message = "Amounts in two currencies cannot be combined."


class NotAnAmount(Refused):
    """A text cannot be read as an amount of money."""

    code = "not_an_amount"
    message = "This is not an amount."
    status: ClassVar[int] = 422


@cache
def decimals_of(currency: str) -> int:
    """Return how many decimals a currency has (ISO 4217): USD 2, JPY 0, KWD 3."""
    return int(get_currency_precision(currency))


@cache
def is_currency(code: str) -> bool:
    """Say whether a code is one of ISO 4217, in capitals."""
    return code in get_global("all_currencies")


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount: `minor` units (cents) of `currency` (ISO 4217)."""

    minor: int
    currency: str

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return nothing, in a currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read "1150", "$1,150.00", "1.150,00 EUR", "(45.00)" or "-45". Raises NotAnAmount."""
        return cls(parse_minor(text, decimals_of(currency)), currency)

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: "Money") -> bool:
        self._same_currency(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same_currency(other)
        return self.minor <= other.minor

    def __gt__(self, other: "Money") -> bool:
        return other < self

    def __ge__(self, other: "Money") -> bool:
        return other <= self

    def percent(self, rate: str | Decimal) -> "Money":
        """Return that percentage, rounded half to even on the last minor unit."""
        exact = Decimal(self.minor) * Decimal(rate) / 100
        return Money(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)), self.currency)

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Divide in proportion to non-negative weights so that the parts add up exactly.

        The minor units left over by rounding go to the largest remainders, the first of equals first.
        """
        total = sum(weights)
        if not weights or total <= 0 or min(weights) < 0:
            raise ValueError("split needs weights that are not negative and not all zero")
        shares = [divmod(self.minor * weight, total) for weight in weights]
        left_over = self.minor - sum(quotient for quotient, _ in shares)
        by_remainder = sorted(range(len(shares)), key=lambda place: -shares[place][1])
        receivers = set(by_remainder[:left_over])
        return [Money(share[0] + (place in receivers), self.currency) for place, share in enumerate(shares)]

    def format(self, locale: str = "en_US") -> str:
        """Write the amount as people of a locale do: "$1,150.00"."""
        if locale == "en_US":
            return _format_american(self.minor, self.currency)
        return format_currency(self.to_decimal(), self.currency, locale=locale)

    def to_decimal(self) -> Decimal:
        """Return the amount in major units, for exports and formatting."""
        return Decimal(self.minor).scaleb(-decimals_of(self.currency))

    def __str__(self) -> str:
        return self.format()

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency} cannot be combined.")


def add_up(amounts: Sequence[Money], currency: str) -> Money:
    """Add amounts of one currency; of none, return zero of `currency`. Raises MixedCurrencies."""
    total = Money.zero(currency)
    for amount in amounts:
        total += amount
    return total


@cache
def _american_pattern(currency: str) -> tuple[str, str]:
    shown = format_currency(Decimal(0), currency, locale="en_US")
    before, _, after = shown.partition(re.search(r"[\d.]+", shown).group())  # type: ignore[union-attr]
    return before, after


def _format_american(minor: int, currency: str) -> str:
    # Babel takes 25 microseconds an amount; a reminder run formats a hundred thousand of them.
    before, after = _american_pattern(currency)
    decimals = decimals_of(currency)
    whole, part = divmod(abs(minor), 10**decimals)
    fraction = f".{part:0{decimals}d}" if decimals else ""
    return f"{'-' if minor < 0 else ''}{before}{whole:,}{fraction}{after}"


_PLAIN = re.compile(r"-?\d+(?:\.\d{1,2})?\Z", re.ASCII)
_NOISE = re.compile(r"[\s\u00a0\u202f']|[A-Za-z]{3}|[$€£¥₹]")
_GROUPED = re.compile(
    r"(?P<whole>\d{1,3}(?:(?P<group>[.,])\d{3})(?:(?P=group)\d{3})*|\d+)(?:(?P<point>[.,])(?P<part>\d+))?\Z", re.ASCII
)


def parse_minor(text: str, decimals: int) -> int:
    """Read an amount as minor units: plain, grouped with commas or dots, with a currency sign, or in parentheses.

    Raises NotAnAmount where the text is no number, has more decimals than the currency, or could mean two amounts.
    """
    if decimals == 2 and _PLAIN.match(text):
        whole, _, part = text.partition(".")
        return int(whole + (part + "00")[:2])
    bare = _NOISE.sub("", text)
    negative = bare.startswith(("(", "-")) or bare.endswith("-")
    if bare.startswith("(") != bare.endswith(")"):
        raise NotAnAmount(f"“{text}” has only one parenthesis.")
    match = _GROUPED.match(bare.strip("()-+"))
    if not match:
        raise NotAnAmount(f"“{text}” is not an amount.")
    return (-1 if negative else 1) * _minor_of(match, text, decimals)


def _minor_of(match: re.Match[str], text: str, decimals: int) -> int:
    group, point, part = match["group"], match["point"], match["part"] or ""
    whole = match["whole"].replace(group, "") if group else match["whole"]
    if group and point == group:
        raise NotAnAmount(f"“{text}” uses “{group}” both for thousands and for decimals.")
    if group == "." and not point and decimals != 3:
        raise NotAnAmount(f"“{text}” could mean two amounts; write {whole}.00 or {match['whole'].replace('.', ',')}.")
    if len(part.rstrip("0")) > decimals:
        raise NotAnAmount(f"“{text}” has more decimals than the currency ({decimals}).")
    return int(whole + part[:decimals].ljust(decimals, "0"))
