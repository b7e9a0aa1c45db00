"""What a tree of conditions means, in a sentence that a bookkeeper can check."""

from typing import Any

import pytest

from payorcrm.reminders.condition_kinds import Kind
from payorcrm.reminders.conditions import check_tree
from payorcrm.reminders.describe_conditions import amount_of, describe, describe_briefly, hundredths_of
from payorcrm.reminders.known_conditions import CONDITIONS

LATE = {"if": "overdue_exactly", "is": 7}
RETAIL = {"if": "category_is", "is": "Retail"}
RICH = {"if": "balance_at_least", "is": 50_000}
FIRST = {"if": "reminded_before", "is": False}


SEVEN = "it is overdue by exactly 7 days"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([LATE], SEVEN),
        ([{"if": "due_in", "is": 1}], "it is due in exactly 1 day"),
        ([LATE, RETAIL], f"{SEVEN} and its customer is in the category “Retail”"),
        (
            [LATE, {"any": [RICH, FIRST]}],
            f"{SEVEN} and (either its customer owes at least $500.00 in all or it was never mailed about)",
        ),
        (
            [{"any": [{"all": [LATE, RETAIL]}, {"all": [LATE, FIRST, RICH]}]}],
            (
                f"(both {SEVEN} and its customer is in the category “Retail”) or (all of this is true: {SEVEN} and it "
                "was never mailed about and its customer owes at least $500.00 in all)"
            ),
        ),
        (
            [{"any": [LATE]}, {"all": [FIRST, RETAIL]}],
            f"{SEVEN} and it was never mailed about and its customer is in the category “Retail”",
        ),
        (
            [{"if": "overdue_every", "is": [60, 14]}, {"if": "reminders_at_least", "is": 1}],
            "it is overdue by 60 days, and every 14 days after that, and it was mailed about once or more",
        ),
        ([{"if": "overdue_every", "is": [3, 6]}], "it is overdue by 3 days, and every 6 days after that"),
        (
            [LATE, {"if": "amount_between", "is": [100, 250]}, {"if": "issued_from", "is": "2026-01-31"}],
            f"{SEVEN} and it has $1.00 to $2.50 owed on it and it was issued on Jan 31, 2026 or later",
        ),
        ([LATE, {"if": "language_is", "is": "es"}], f"{SEVEN} and its customer gets mails in Spanish"),
    ],
)
def test_a_tree_is_told(parts: Any, words: str) -> None:
    tree = {"all": parts}
    check_tree(tree)

    assert describe(tree, currency="USD") == f"An invoice gets a reminder when {words}."


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([LATE, RETAIL], "an invoice is overdue by exactly 7 days and its customer is in the category “Retail”"),
        ([RETAIL, FIRST], "an invoice’s customer is in the category “Retail” and it was never mailed about"),
        ([{"if": "overdue_every", "is": [3, 6]}], "an invoice is overdue by 3 days, and every 6 days after that"),
    ],
)
def test_a_list_of_rules_tells_a_tree_in_fewer_words(parts: Any, words: str) -> None:
    assert describe_briefly({"all": parts}, currency="USD") == f"When {words}."


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_condition_has_words_and_a_label_that_fit_its_values(name: str) -> None:
    condition = CONDITIONS[name]

    is_answered = condition.kind is Kind.YES_OR_NO
    assert condition.label.count("…") == (0 if is_answered else len(condition.kind.value))
    assert ("{}" in condition.words) == (not is_answered)
    assert bool(condition.negated) == is_answered


@pytest.mark.parametrize(("currency", "written"), [("USD", "$12.34"), ("JPY", "¥12"), ("KWD", "KWD\u00a012.340")])
def test_amounts_are_kept_in_hundredths_whatever_the_currency(currency: str, written: str) -> None:
    amount = amount_of(1234, currency)

    assert amount.format() == written
    assert amount_of(hundredths_of(amount), currency) == amount
