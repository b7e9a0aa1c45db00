"""Says in a sentence what a tree of conditions means."""

import re
from datetime import date
from typing import Any

from babel import Locale

from payorcrm.core.money import Money, decimals_of
from payorcrm.core.write_dates import write_day
from payorcrm.reminders.condition_kinds import About, Condition, Kind
from payorcrm.reminders.conditions import Tree
from payorcrm.reminders.known_conditions import CONDITIONS

_ENGLISH = Locale("en")


def describe(tree: Tree, *, currency: str) -> str:
    """Return the sentence of a tree that was checked; amounts are written in a currency."""
    return f"An invoice gets a reminder when {clause(tree, currency=currency).removesuffix(',')}."


def describe_briefly(tree: Tree, *, currency: str) -> str:
    """Return the sentence in as few words as a list of rules bears: all of its entries are about reminders."""
    words = re.sub(r"\b(it|its customer)\b", _name_subject, clause(tree, currency=currency), count=1)
    return f"When {words.removesuffix(',')}."


def _name_subject(found: re.Match[str]) -> str:
    return "an invoice" if found[1] == "it" else "an invoice’s customer"


def clause(tree: Tree, *, currency: str, customer: str = "its customer") -> str:
    """Return what stands behind "when"; `customer` is how the customer is called there."""
    for group in ("all", "any"):
        if group in tree:
            return _joined(group, tree[group], currency, customer)
    condition = CONDITIONS[tree["if"]]
    subject = customer if condition.about is About.CUSTOMER else "it"
    return f"{subject} {_words(condition, tree['is'], currency)}"


def _joined(group: str, parts: list[Tree], currency: str, customer: str) -> str:
    if len(parts) == 1:
        return clause(parts[0], currency=currency, customer=customer)
    clauses = [_nested(group, part, currency, customer) for part in parts]
    return (" and " if group == "all" else " or ").join(clauses)


def _nested(group: str, part: Tree, currency: str, customer: str) -> str:
    """Mark where a group within another one begins, so that "and" and "or" cannot be taken for each other."""
    words = clause(part, currency=currency, customer=customer)
    inner = part.get("any") or part.get("all") or []
    if len(inner) < 2 or group in part:
        return words
    opening = "either" if "any" in part else "both" if len(inner) == 2 else "all of this is true:"
    return f"({opening} {words})"


def _words(condition: Condition, value: Any, currency: str) -> str:
    if condition.kind is Kind.YES_OR_NO:
        return condition.words if value else condition.negated
    return condition.words.format(written(condition.kind, value, currency=currency))


def written(kind: Kind, value: Any, *, currency: str) -> str:
    """Return a value as people write it."""
    match kind:
        case Kind.DAYS:
            return _days(value)
        case Kind.TWO_DAYS:
            return f"{value[0]} to {_days(value[1])}"
        case Kind.EVERY:
            return f"{_days(value[0])}, and every {_days(value[1])} after that,"
        case Kind.TIMES:
            return "once" if value == 1 else f"{value} times"
        case Kind.AMOUNT:
            return _amount(value, currency)
        case Kind.TWO_AMOUNTS:
            return f"{_amount(value[0], currency)} to {_amount(value[1], currency)}"
        case Kind.DATE:
            return write_day(date.fromisoformat(value))
        case Kind.LANGUAGE:
            return _ENGLISH.languages.get(value, value)
        case Kind.TEXT | Kind.CATEGORY:
            return f"“{value}”"
        case _:
            return str(value)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _amount(hundredths: int, currency: str) -> str:
    return amount_of(hundredths, currency).format()


def amount_of(hundredths: int, currency: str) -> Money:
    """Return the amount that a condition names by its hundredths."""
    return Money(hundredths * 10 ** decimals_of(currency) // 100, currency)


def hundredths_of(amount: Money) -> int:
    """Return what a condition keeps of an amount."""
    return amount.minor * 100 // 10 ** decimals_of(amount.currency)
