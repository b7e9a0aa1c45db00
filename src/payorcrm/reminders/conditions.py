"""The conditions of a rule: a tree of nested groups, checked before it is stored, and turned into SQL with parameters.

A group is `{"all": [...]}` or `{"any": [...]}`, a condition `{"if": "overdue_exactly", "is": 7}`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from payorcrm.core.errors import Refused
from payorcrm.reminders.condition_kinds import problem_of
from payorcrm.reminders.known_conditions import CONDITIONS, CUSTOMER, DUE, REMINDERS, TIMES_MAILED

DEEPEST = 5
MOST_CONDITIONS = 40

Tree = dict[str, Any]


class ConditionsRefused(Refused):
    """A tree of conditions means nothing or would match every invoice on every day."""

    code = "conditions_refused"
    status: ClassVar[int] = 422


def check_tree(tree: Any) -> None:
    """Refuse what is no tree of known conditions, or says nothing about when. Raises ConditionsRefused."""
    _check(tree)
    if not _says_when(tree):
        raise ConditionsRefused("Every way through the conditions must say how late, or how soon due, an invoice is.")


def check_customer_tree(tree: Any) -> None:
    """Refuse what is no tree of conditions about customers. Raises ConditionsRefused."""
    for name in _check(tree):
        if name not in CUSTOMER:
            raise ConditionsRefused(f"“{CONDITIONS[name].label}” says nothing about a customer.")


def _check(tree: Any) -> list[str]:
    found = list(_walk(tree, DEEPEST))
    if len(found) > MOST_CONDITIONS:
        raise ConditionsRefused(f"A rule has at most {MOST_CONDITIONS} conditions.")
    return found


def _walk(tree: Any, depth: int) -> Iterator[str]:
    if not isinstance(tree, dict) or not depth:
        raise ConditionsRefused("These conditions cannot be read, or their groups are nested too deeply.")
    if len(tree) == 1 and (parts := tree.get("all", tree.get("any"))):
        if not isinstance(parts, list):
            raise ConditionsRefused("A group is a list of conditions.")
        for part in parts:
            yield from _walk(part, depth - 1)
    elif set(tree) == {"if", "is"} and isinstance(tree["if"], str) and tree["if"] in CONDITIONS:
        condition = CONDITIONS[tree["if"]]
        if problem := problem_of(condition, tree["is"]):
            raise ConditionsRefused(f"{condition.label}: {problem}")
        yield tree["if"]
    else:
        raise ConditionsRefused("A group is empty, or a condition is not known.")


def _says_when(tree: Tree) -> bool:
    if "all" in tree:
        return any(map(_says_when, tree["all"]))
    if "any" in tree:
        return all(map(_says_when, tree["any"]))
    return tree["if"] in DUE


@dataclass(slots=True)
class Compiled:
    """A boolean expression of SQL; every value of the tree is a parameter."""

    sql: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def compile_tree(tree: Tree) -> Compiled:
    """Return the tree as SQL about `invoice`, `customer`, `foreseen` and `due.day`, as match.py has them.

    It needs the parameters `zone` and `language`. Raises ConditionsRefused.
    """
    check_tree(tree)
    return _compiled(tree, currency="invoice.currency", day="due.day")


def compile_lasting(tree: Tree) -> Compiled:
    """Return the tree with everything about reminders taken for true: what is not so by it is not so on any day.

    It is SQL about what `compile_tree` names, without `foreseen`. Raises ConditionsRefused.
    """
    check_tree(tree)
    return _compiled(_lasting(tree) or {"all": []}, currency="invoice.currency", day="due.day")


def compile_changing(tree: Tree, *, times_mailed: str) -> Compiled | None:
    """Return what reminders may change of a tree that is otherwise so, as SQL; None if they change nothing of it.

    `times_mailed` is an expression of SQL: how often an invoice was mailed about until now.
    """
    parts = [part for part in tree.get("all", [tree]) if _asks_about_reminders(part)]
    if not parts:
        return None
    compiled = _compiled({"all": parts}, currency="invoice.currency", day="due.day")
    compiled.sql = compiled.sql.replace(TIMES_MAILED, times_mailed)
    return compiled


def _asks_about_reminders(tree: Tree) -> bool:
    parts = tree.get("all") or tree.get("any")
    return any(map(_asks_about_reminders, parts)) if parts else tree["if"] in REMINDERS


def _lasting(tree: Tree) -> Tree | None:
    """Return what is left of a tree, or None if it may be so whatever else is."""
    if "if" in tree:
        return None if tree["if"] in REMINDERS else tree
    group = "all" if "all" in tree else "any"
    parts = [_lasting(part) for part in tree[group]]
    kept = [part for part in parts if part]
    return None if not kept or (group == "any" and len(kept) < len(parts)) else {group: kept}


def compile_customer_tree(tree: Tree, *, currency: str, day: str) -> Compiled:
    """Return a tree about customers as SQL about `customer`. Raises ConditionsRefused.

    `currency` and `day` are expressions of SQL, such as a column, never what somebody typed in. It needs the parameters
    `zone` and `language`.
    """
    check_customer_tree(tree)
    return _compiled(tree, currency=currency, day=day)


@dataclass(slots=True)
class CompiledParts:
    """Several boolean expressions of SQL with the parameters of all."""

    sql: list[str]
    values: dict[str, Any]


def compile_parts(parts: list[Tree]) -> CompiledParts:
    """Return parts of a tree that was checked, each on its own, as SQL about what `compile_tree` names."""
    values: dict[str, Any] = {}
    found = [_compile(part, values).replace("{currency}", "invoice.currency") for part in parts]
    return CompiledParts([sql.replace("{day}", "due.day") for sql in found], values)


def _compiled(tree: Tree, *, currency: str, day: str) -> Compiled:
    compiled = Compiled()
    sql = _compile(tree, compiled.values)
    compiled.sql = sql.replace("{currency}", currency).replace("{day}", day)
    return compiled


def _compile(tree: Tree, values: dict[str, Any]) -> str:
    for group, joint in (("all", " AND "), ("any", " OR ")):
        if group in tree:
            return "(" + (joint.join(_compile(part, values) for part in tree[group]) or "true") + ")"
    condition = CONDITIONS[tree["if"]]
    given = tree["is"] if condition.kind.is_pair else [tree["is"]]
    sql = condition.sql
    for mark, value in zip(("%a", "%b"), given, strict=False):
        name = f"value_{len(values)}"
        values[name] = value
        sql = sql.replace(mark, f"%({name})s")
    return f"({sql})"


def most_days_late(tree: Tree) -> int:
    """Return the largest delay that the conditions name, zero if they name none."""
    parts = tree.get("all") or tree.get("any")
    if parts:
        return max(map(most_days_late, parts))
    if tree["if"] == "overdue_between":
        return int(tree["is"][1])
    if tree["if"] == "overdue_every":
        return int(tree["is"][0])
    return int(tree["is"]) if tree["if"] in ("overdue_exactly", "overdue_at_least") else 0
