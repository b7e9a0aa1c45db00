"""The conditions of a rule while somebody writes them: unlike a stored tree, they may be unfinished.

Each part has a path, "0-2" being the third part of the first group, which names its fields in a form.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import QueryDict

from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.reminders.condition_kinds import About, Condition, Kind, problem_of
from payorcrm.reminders.conditions import DEEPEST, MOST_CONDITIONS, Tree
from payorcrm.reminders.describe_conditions import amount_of, hundredths_of
from payorcrm.reminders.known_conditions import CONDITIONS

_FIELD = re.compile(r"(?P<what>joint|if):(?P<path>\d{1,3}(?:-\d{1,3}){0,9})\Z")
# As many parts as a form is read to; more of them no page of ours sends.
_MOST_PARTS = 200
_AMOUNTS = (Kind.AMOUNT, Kind.TWO_AMOUNTS)
_TEXTS = (Kind.TEXT, Kind.CATEGORY, Kind.CURRENCY, Kind.LANGUAGE, Kind.DATE)


@dataclass(slots=True)
class Value:
    """One box or list of a condition."""

    id: str
    name: str
    label: str
    text: str
    kind: Kind
    choices: list[tuple[str, str]]
    is_wrong: bool


@dataclass(slots=True)
class Line:
    """One condition: which one, and its values as they were typed in."""

    name: str = ""
    texts: list[str] = field(default_factory=list)
    path: str = ""
    place: str = ""
    problem: str = ""
    wrong: str = "ab"  # the letters of the values that the problem is about
    is_first: bool = True
    is_last: bool = True

    def condition(self) -> Condition | None:
        """Return what was chosen."""
        return CONDITIONS.get(self.name)

    def values(self) -> list[Value]:
        """Return the boxes that stand behind the choice."""
        condition = self.condition()
        if condition is None:
            return []
        kind = condition.kind
        labels = kind.value
        texts = [*self.texts, "", ""]
        return [
            Value(
                id=f"{letter}-{self.path}",
                name=f"{letter}:{self.path}",
                label=label.capitalize(),
                text=text,
                kind=kind,
                choices=_choices(kind),
                is_wrong=bool(self.problem) and letter in self.wrong,
            )
            for letter, label, text in zip("ab", labels, texts, strict=False)
        ]


@dataclass(slots=True)
class Group:
    """Conditions and groups, all or any of which must be true."""

    joint: str = "all"
    parts: list["Line | Group"] = field(default_factory=list)
    path: str = ""
    place: str = ""
    depth: int = 1
    problem: str = ""
    is_first: bool = True
    is_last: bool = True
    is_group: bool = True

    def may_nest(self) -> bool:
        """Say whether a group fits into this one, and a condition into that."""
        return self.depth < DEEPEST - 1


def _choices(kind: Kind) -> list[tuple[str, str]]:
    if kind is Kind.YES_OR_NO:
        return [("yes", "Yes"), ("no", "No")]
    return list(settings.LANGUAGES) if kind is Kind.LANGUAGE else []


def offered(*abouts: About) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the conditions under some headings, or under all of them."""
    return [
        (about.value, [(name, each.label) for name, each in CONDITIONS.items() if each.about is about])
        for about in abouts or About
    ]


def draft_of(tree: Tree, *, currency: str) -> Group:
    """Return a stored tree as it is written."""
    root = _written(tree, currency)
    return numbered(root if isinstance(root, Group) else Group(parts=[root]))


def new_draft() -> Group:
    """Return what a new rule begins with: a condition that says when, to be filled in."""
    return numbered(Group(parts=[Line(name="overdue_exactly")]))


def _written(tree: Tree, currency: str) -> Line | Group:
    for joint in ("all", "any"):
        if joint in tree:
            return Group(joint=joint, parts=[_written(part, currency) for part in tree[joint]])
    kind = CONDITIONS[tree["if"]].kind
    given = tree["is"] if kind.is_pair else [tree["is"]]
    return Line(name=tree["if"], texts=[_text(kind, each, currency) for each in given])


def _text(kind: Kind, value: Any, currency: str) -> str:
    if kind is Kind.YES_OR_NO:
        return "yes" if value else "no"
    return str(amount_of(value, currency).to_decimal()) if kind in _AMOUNTS else str(value)


def read_draft(sent_in: QueryDict) -> Group:
    """Return what a form describes, whatever it leaves out."""
    found = [match for name in sent_in if (match := _FIELD.match(name))][:_MOST_PARTS]
    root = Group(joint=_joint(sent_in.get("joint:", "")))
    groups: dict[tuple[int, ...], Group] = {(): root}
    for path, what in sorted((_numbers(match["path"]), match["what"]) for match in found):
        parent = groups.get(path[:-1])
        if parent is None or parent.depth >= DEEPEST:
            continue
        name = "-".join(map(str, path))
        if what == "joint":
            group = Group(joint=_joint(sent_in.get(f"joint:{name}", "")), depth=parent.depth + 1)
            groups[path] = group
            parent.parts.append(group)
        else:
            texts = [sent_in.get(f"{letter}:{name}", "") for letter in "ab"]
            parent.parts.append(Line(name=sent_in.get(f"if:{name}", ""), texts=texts))
    return numbered(root)


def _joint(text: str) -> str:
    return "any" if text == "any" else "all"


def _numbers(path: str) -> tuple[int, ...]:
    return tuple(int(number) for number in path.split("-"))


def numbered(group: Group) -> Group:
    """Give each part its path and the words for its place."""
    lines = groups = 0
    for number, part in enumerate(group.parts):
        part.path = f"{group.path}-{number}" if group.path else str(number)
        part.is_first, part.is_last = number == 0, number == len(group.parts) - 1
        if isinstance(part, Group):
            groups += 1
            part.depth = group.depth + 1
            part.place = f"{group.place}.{groups}" if group.place else f"group {groups}"
            numbered(part)
        else:
            lines += 1
            part.place = f"condition {lines} of {group.place}" if group.place else f"condition {lines}"
    return group


def parts_of(group: Group) -> Iterator[Line | Group]:
    """Return all parts, depth first."""
    for part in group.parts:
        yield part
        if isinstance(part, Group):
            yield from parts_of(part)


def find(root: Group, path: str) -> Line | Group | None:
    """Return the part of a path; the root has the empty one."""
    return next((part for part in (root, *parts_of(root)) if part.path == path), None)


@dataclass(frozen=True, slots=True)
class Step:
    """What a press of a button did: where the focus goes, and what is said."""

    focus: str
    said: str


def act(root: Group, press: str) -> Step | None:
    """Change a draft as a button says, such as "up:0-2"; nothing if there is no such button any more."""
    verb, _, path = press.partition(":")
    part = find(root, path)
    if verb in _ADDING and isinstance(part, Group):
        return _ADDING[verb](root, part)
    if verb in ("remove", "up", "down") and part is not None and path:
        parent = find(root, path.rpartition("-")[0])
        assert isinstance(parent, Group)
        return _remove(root, parent, part) if verb == "remove" else _move(root, parent, part, verb)
    return None


def _add_condition(root: Group, group: Group) -> Step | None:
    if sum(isinstance(part, Line) for part in parts_of(root)) >= MOST_CONDITIONS:
        return Step(f"add-condition-{group.path}", f"A rule has at most {MOST_CONDITIONS} conditions.")
    line = Line()
    group.parts.append(line)
    numbered(root)
    return Step(f"if-{line.path}", f"{line.place.capitalize()} added.")


def _add_group(root: Group, group: Group) -> Step | None:
    if not group.may_nest():
        return Step(f"add-condition-{group.path}", "Groups are nested as deeply as they may be.")
    inner = Group(joint="all" if group.joint == "any" else "any", parts=[Line()])
    group.parts.append(inner)
    numbered(root)
    return Step(f"joint-{inner.path}", f"{inner.place.capitalize()} added, with one condition.")


_ADDING = {"condition": _add_condition, "group": _add_group}


def _remove(root: Group, parent: Group, part: Line | Group) -> Step:
    place, said = parent.parts.index(part), f"{part.place.capitalize()} removed."
    parent.parts.remove(part)
    numbered(root)
    if not parent.parts:
        return Step(f"add-condition-{parent.path}", said)
    return Step(_first_control(parent.parts[min(place, len(parent.parts) - 1)]), said)


def _first_control(part: Line | Group) -> str:
    return f"joint-{part.path}" if isinstance(part, Group) else f"if-{part.path}"


def _move(root: Group, parent: Group, part: Line | Group, verb: str) -> Step:
    place = parent.parts.index(part)
    other = place - 1 if verb == "up" else place + 1
    old = part.place
    if 0 <= other < len(parent.parts):
        parent.parts[place], parent.parts[other] = parent.parts[other], part
        numbered(root)
    # A button at the end of the row of parts is gone; its counterpart is there.
    still = "down" if part.is_first else "up" if part.is_last else verb
    return Step(f"{still}-{part.path}", f"{old.capitalize()} moved {verb}.")


def tree_of(group: Group, *, currency: str) -> Tree:
    """Return the tree that a draft describes; what is wrong is noted at the part, see `first_problem`."""
    if not group.parts:
        group.problem = "This group is empty: add a condition, or remove the group."
    return {
        group.joint: [
            tree_of(part, currency=currency) if isinstance(part, Group) else _condition(part, currency)
            for part in group.parts
        ]
    }


def first_problem(root: Group) -> Line | Group | None:
    """Return the first part that something is wrong with."""
    return next((part for part in (root, *parts_of(root)) if part.problem), None)


def forget_problems(root: Group) -> None:
    """Complain about nothing."""
    for part in (root, *parts_of(root)):
        part.problem = ""


def control_of(part: Line | Group) -> str:
    """Return the id of the control where a problem is mended."""
    if isinstance(part, Group):
        return f"add-condition-{part.path}"
    wrong = [value.id for value in part.values() if value.is_wrong]
    return wrong[0] if wrong else f"if-{part.path}"


def _condition(line: Line, currency: str) -> Tree:
    condition = line.condition()
    if condition is None:
        line.problem = "Choose a condition, or remove this one."
        return {}
    values = []
    for letter, text in zip("ab", [*line.texts, "", ""][: len(condition.kind.value)], strict=False):
        try:
            values.append(_value(condition.kind, text.strip(), currency))
        except Refused as refusal:
            line.problem, line.wrong = str(refusal), letter
            return {}
    value = values if condition.kind.is_pair else values[0]
    line.problem = problem_of(condition, value)
    unread = "".join(letter for letter, each in zip("ab", values, strict=False) if not isinstance(each, int))
    line.wrong = unread or "ab"
    return {"if": line.name, "is": value}


def _value(kind: Kind, text: str, currency: str) -> Any:
    """Return what a text means; what cannot be read stays a text, which the check of values refuses."""
    if kind is Kind.YES_OR_NO:
        return {"yes": True, "no": False}.get(text)
    if kind in _AMOUNTS and text:
        return hundredths_of(Money.parse(text, currency))
    if kind is Kind.CURRENCY:
        return text.upper()
    is_number = kind not in _TEXTS and text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if is_number else text
