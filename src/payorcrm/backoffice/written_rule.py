"""What the pages of a rule of reminders and of a rule of statements have in common: its conditions being written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from payorcrm.backoffice.rule_draft import Group, act, control_of, first_problem, forget_problems
from payorcrm.reminders.conditions import ConditionsRefused, Tree

# A press that only asks for the words must not complain about what is not filled in yet.
SHOW = "show"


@dataclass(slots=True)
class WrittenRule:
    """What the page of a rule shows besides the rule."""

    draft: Group
    form: Any
    is_new: bool
    meaning: str = ""
    refusal: str = ""
    focus: str = ""
    said: str = ""
    is_as_written: bool = False  # what was tried is what stands in the form


def press(page: WrittenRule, button: str, read: Callable[[], Tree | None]) -> Tree | None:
    """Do what a button of the builder says; return what `read` finds on the page if another button was pressed."""
    step = act(page.draft, button)
    tree = read()
    if step is None and button != SHOW:
        return tree
    page.refusal, page.focus = "", ""
    forget_problems(page.draft)
    if step:
        page.focus, page.said = step.focus, step.said
    return None


def read_tree(
    page: WrittenRule, tree: Tree, *, check: Callable[[Tree], None], means: Callable[[Tree], str]
) -> Tree | None:
    """Return the tree of a page if it means something, and say what it means or what is wrong."""
    wrong = first_problem(page.draft)
    if wrong is not None:
        page.focus = control_of(wrong)
        return None
    try:
        check(tree)
    except ConditionsRefused as refusal:
        page.refusal = str(refusal)
        return None
    page.meaning = means(tree)
    return tree
