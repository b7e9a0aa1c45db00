"""The conditions of a rule: a tree of nested groups, checked before it is stored, and turned into SQL with parameters.

A group is `{"all": [...]}` or `{"any": [...]}`, a condition `{"if": "overdue_exactly", "is": 7}`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from payorcrm.core.errors import Refused

DEEPEST = 5
MOST_CONDITIONS = 40
MOST_DAYS = 3650
LONGEST_TEXT = 100
MOST_AMOUNT = 10**15

Tree = dict[str, Any]


class ConditionsRefused(Refused):
    """A tree of conditions means nothing or would match every invoice on every day."""

    code = "conditions_refused"
    status: ClassVar[int] = 422


_BALANCE = """(SELECT sum(other.balance) FROM invoices_invoice AS other
    WHERE other.customer_id = invoice.customer_id AND other.currency = invoice.currency AND other.status = 'open')"""
_HAS_METHOD = """EXISTS (SELECT FROM payment_methods_paymentmethod AS method WHERE method.customer_id = customer.id
    AND method.saved_at IS NOT NULL AND method.removed_at IS NULL)"""

# What each condition says of `invoice`, `customer` and the day `due.day`; %s is the value.
DAYS = {
    "overdue_exactly": "invoice.due_on = due.day - %s::int",
    "overdue_at_least": "invoice.due_on <= due.day - %s::int",
    "due_in": "invoice.due_on = due.day + %s::int",
}
WAITS = {
    "last_reminded_at_least": "coalesce((invoice.last_reminded_at AT TIME ZONE %%(zone)s)::date "
    "<= due.day - %s::int, true)"
}
AMOUNTS = {
    "amount_at_least": "invoice.balance >= %s::bigint",
    "amount_at_most": "invoice.balance <= %s::bigint",
    "balance_at_least": f"{_BALANCE} >= %s::bigint",
    "balance_at_most": f"{_BALANCE} <= %s::bigint",
}
TEXTS = {
    "category_is": "lower(customer.category) = lower(%s)",
    "number_is": "customer.number = %s",
    "number_begins_with": "starts_with(customer.number, %s)",
    "language_is": "coalesce(nullif(customer.language, ''), %%(language)s) = %s",
}
YES_OR_NO = {"has_saved_method": f"{_HAS_METHOD} = %s::boolean"}
SQL = DAYS | WAITS | AMOUNTS | TEXTS | YES_OR_NO


def check_tree(tree: Any) -> None:
    """Refuse what is no tree of known conditions, or says nothing about when. Raises ConditionsRefused."""
    found = list(_walk(tree, DEEPEST))
    if len(found) > MOST_CONDITIONS:
        raise ConditionsRefused(f"A rule has at most {MOST_CONDITIONS} conditions.")
    if not _says_when(tree):
        raise ConditionsRefused("Every way through the conditions must say how late, or how soon due, an invoice is.")


def _walk(tree: Any, depth: int) -> Iterator[str]:
    if not isinstance(tree, dict) or not depth:
        raise ConditionsRefused("These conditions cannot be read, or their groups are nested too deeply.")
    if len(tree) == 1 and (parts := tree.get("all", tree.get("any"))):
        if not isinstance(parts, list):
            raise ConditionsRefused("A group is a list of conditions.")
        for part in parts:
            yield from _walk(part, depth - 1)
    elif set(tree) == {"if", "is"} and isinstance(tree["if"], str) and tree["if"] in SQL:
        _check_value(tree["if"], tree["is"])
        yield tree["if"]
    else:
        raise ConditionsRefused("A group is empty, or a condition is not known.")


def _check_value(name: str, value: Any) -> None:
    if name in YES_OR_NO:
        is_right = isinstance(value, bool)
    elif name in TEXTS:
        is_right = isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and "\0" not in value
    else:
        most = MOST_AMOUNT if name in AMOUNTS else MOST_DAYS
        is_right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    if not is_right:
        raise ConditionsRefused(f"“{value}” is no value for the condition {name.replace('_', ' ')}.")


def _says_when(tree: Tree) -> bool:
    if "all" in tree:
        return any(map(_says_when, tree["all"]))
    if "any" in tree:
        return all(map(_says_when, tree["any"]))
    return tree["if"] in DAYS


@dataclass(slots=True)
class Compiled:
    """A boolean expression of SQL; every value of the tree is a parameter."""

    sql: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def compile_tree(tree: Tree) -> Compiled:
    """Return the tree as SQL about `invoice`, `customer` and `due.day`. Raises ConditionsRefused."""
    check_tree(tree)
    compiled = Compiled()
    compiled.sql = _compile(tree, compiled.values)
    return compiled


def _compile(tree: Tree, values: dict[str, Any]) -> str:
    for group, joint in (("all", " AND "), ("any", " OR ")):
        if group in tree:
            return "(" + joint.join(_compile(part, values) for part in tree[group]) + ")"
    name = f"value_{len(values)}"
    values[name] = tree["is"]
    return SQL[tree["if"]].replace("%%(", "%(").replace("%s", f"%({name})s")


def most_days_late(tree: Tree) -> int:
    """Return the largest delay that the conditions name, zero if they name none."""
    parts = tree.get("all") or tree.get("any")
    if parts:
        return max(map(most_days_late, parts))
    return int(tree["is"]) if tree["if"] in ("overdue_exactly", "overdue_at_least") else 0
