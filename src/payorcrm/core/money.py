"""Money: an exact count of minor units in one currency. Parsing and formatting live here alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import ClassVar, Self

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol

from payorcrm.core.errors import Inconsistent, Refused
from payorcrm.core.language import babel_locale


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
        return cls(parse_minor(text, currency), currency)

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

    def format(self, locale: str = "") -> str:
        """Write the amount as people of a locale do, or of the active language: "$1,150.00"."""
        locale = locale or babel_locale()
        if locale in _AMERICAN_NUMBERS:
            return _format_american(self.minor, self.currency, locale)
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


# Locales that write 1,150.00 and put the currency in front; only its sign differs ("€5.00", "EUR 5.00").
_AMERICAN_NUMBERS = frozenset({"en_US", "es_US"})


@cache
def _american_pattern(currency: str, locale: str) -> tuple[str, str]:
    shown = format_currency(Decimal(0), currency, locale=locale)
    before, _, after = shown.partition(re.search(r"[\d.]+", shown).group())  # type: ignore[union-attr]
    # CLDR keeps a space between letters and digits ("CHF 5.00"), which Babel leaves out.
    return before + ("\u00a0" if before[-1:].isalpha() else ""), after


def _format_american(minor: int, currency: str, locale: str) -> str:
    # Babel takes 25 microseconds an amount; a reminder run formats a hundred thousand of them.
    before, after = _american_pattern(currency, locale)
    decimals = decimals_of(currency)
    whole, part = divmod(abs(minor), 10**decimals)
    fraction = f".{part:0{decimals}d}" if decimals else ""
    return f"{'-' if minor < 0 else ''}{before}{whole:,}{fraction}{after}"


# More than any invoice, and few enough digits that sums of millions of them fit a bigint.
_MOST_DIGITS = 15
_PLAIN = re.compile(rf"-?\d{{1,{_MOST_DIGITS - 2}}}(?:\.\d{{1,2}})?\Z", re.ASCII)
_GROUPS = r"[0-9]{1,3}(?P<group>[.,' \u00a0\u202f\u2019])[0-9]{3}(?:(?P=group)[0-9]{3})*"
_AMOUNT = re.compile(
    r"(?P<open>\()?\s*(?P<minus>[-+\u2212])?\s*(?P<before>[^\W\d_]{1,3}\$?|[^\w\s()+.,'-])?\s*(?P<inner>[-\u2212])?"
    rf"(?P<number>(?:{_GROUPS}|[0-9]+|(?=\.[0-9]))(?:(?P<point>[.,])(?P<part>[0-9]+))?)"
    r"\s*(?P<after>[^\W\d_]{1,3}|[^\w\s()+.,'-])?(?P<trailing>-)?\s*(?P<close>\))?\Z"
)
_PLAIN_SIGNS = "$£¥"


def parse_minor(text: str, currency: str) -> int:
    """Read an amount as minor units: plain, grouped by commas, dots or spaces, with its currency, or in parentheses.

    Raises NotAnAmount where the text is no number, names another currency, has more decimals than the currency, or
    could mean two amounts.
    """
    decimals = decimals_of(currency)
    if decimals == 2 and _PLAIN.match(text):
        whole, _, part = text.partition(".")
        return int(whole + (part + "00")[:2])
    match = _AMOUNT.match(text.strip())
    if not match:
        raise NotAnAmount(f"“{text}” is not an amount.")
    for sign in (match["before"], match["after"]):
        if sign and sign.upper() not in _signs_of(currency):
            raise NotAnAmount(f"“{text}” is not in {currency}, the currency of this row.")
    minor = _minor_of(match, text, decimals)
    return -minor if _is_negative(match, text) else minor


@cache
def _signs_of(currency: str) -> frozenset[str]:
    """Return what may stand beside an amount: USD, $ and US$ for dollars; a plain sign serves all that share it."""
    symbol = get_currency_symbol(currency, locale="en_US").upper()
    plain = symbol[-1] if symbol[-1] in _PLAIN_SIGNS else symbol
    return frozenset({currency, symbol, plain, currency[:2] + plain if plain == "$" else symbol})


def _is_negative(match: re.Match[str], text: str) -> bool:
    if bool(match["open"]) != bool(match["close"]):
        raise NotAnAmount(f"“{text}” has only one parenthesis.")
    signs = [sign for sign in (match["open"], match["minus"], match["inner"], match["trailing"]) if sign]
    if len(signs) > 1:
        raise NotAnAmount(f"“{text}” has two signs.")
    return signs not in ([], ["+"])


def _minor_of(match: re.Match[str], text: str, decimals: int) -> int:
    whole, part = _whole_and_part(match, text, decimals)
    if len(part.rstrip("0")) > decimals:
        raise NotAnAmount(f"“{text}” has more decimals than the currency ({decimals}).")
    digits = whole + part[:decimals].ljust(decimals, "0")
    if len(digits.lstrip("0")) > _MOST_DIGITS:
        raise NotAnAmount(f"“{text}” is too large.")
    return int(digits)


def _whole_and_part(match: re.Match[str], text: str, decimals: int) -> tuple[str, str]:
    group, point, part = match["group"], match["point"], match["part"] or ""
    grouped = match["number"].removesuffix((point or "") + part)
    whole = grouped.replace(group, "") if group else grouped
    if group and point == group:
        raise NotAnAmount(f"“{text}” uses “{group}” both for thousands and for decimals.")
    if point == "," and len(part) > decimals:
        raise NotAnAmount(f"“{text}” has more decimals than the currency ({decimals}).")
    if group in (".", ",") and not point and grouped.count(group) == 1:
        return _one_separator(grouped, text, decimals)
    return whole, part


def _one_separator(grouped: str, text: str, decimals: int) -> tuple[str, str]:
    """Tell "1,150" (thousands) from "0.125" (decimals), and refuse "1.150", which could be either."""
    left, separator, right = grouped[:-4], grouped[-4], grouped[-3:]
    if separator == "." and (decimals == 3 or left == "0"):
        return left, right
    if separator == "," and decimals != 3 and not left.startswith("0"):
        return left + right, ""
    raise NotAnAmount(f"“{text}” could mean two amounts; write {left}{right} or {left}.{right[:decimals]}.")
