"""Trees of conditions: what is refused, and what each one matches."""

from datetime import timedelta
from typing import Any

import pytest

from payorcrm.core.money import Money
from payorcrm.reminders.conditions import SQL, ConditionsRefused, check_tree
from payorcrm.reminders.models import Rule
from payorcrm.reminders.switch_rules import rules_of, try_rule
from tests.factories.models import NOW, TODAY, CustomerFactory, PaymentMethodFactory, usd
from tests.reminders.rules import invoice_due

LATE = {"if": "overdue_at_least", "is": 1}


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        {},
        {"all": []},
        {"all": [LATE], "any": [LATE]},
        {"all": LATE},
        {"if": "overdue_exactly", "is": "7"},
        {"if": "overdue_exactly", "is": True},
        {"if": "overdue_exactly", "is": -1},
        {"if": "overdue_exactly", "is": 10**9},
        {"if": "1=1; --", "is": 7},
        {"if": "category_is", "is": "Retail"},
        {"any": [LATE, {"if": "category_is", "is": "Retail"}]},
        {"all": [LATE, {"if": "category_is", "is": ""}]},
        {"all": [LATE] * 41},
        {"all": [{"all": [{"all": [{"all": [{"all": [LATE]}]}]}]}]},
    ],
)
def test_what_means_nothing_is_refused(tree: Any) -> None:
    with pytest.raises(ConditionsRefused):
        check_tree(tree)


CASES: list[tuple[dict[str, Any], bool]] = [
    ({"if": "overdue_exactly", "is": 10}, True),
    ({"if": "overdue_exactly", "is": 9}, False),
    ({"if": "overdue_at_least", "is": 11}, False),
    ({"if": "due_in", "is": 10}, False),
    ({"if": "last_reminded_at_least", "is": 4}, True),
    ({"if": "last_reminded_at_least", "is": 5}, False),
    ({"if": "amount_at_least", "is": 12_000}, True),
    ({"if": "amount_at_most", "is": 11_999}, False),
    ({"if": "balance_at_least", "is": 22_000}, True),
    ({"if": "balance_at_most", "is": 21_999}, False),
    ({"if": "category_is", "is": "retail"}, True),
    ({"if": "category_is", "is": "' OR true --"}, False),
    ({"if": "number_is", "is": "A-1"}, True),
    ({"if": "number_begins_with", "is": "A%"}, False),
    ({"if": "number_begins_with", "is": "A-"}, True),
    ({"if": "language_is", "is": "en"}, True),
    ({"if": "language_is", "is": "es"}, False),
    ({"if": "has_saved_method", "is": True}, True),
    ({"if": "has_saved_method", "is": False}, False),
]


@pytest.mark.django_db
def test_each_condition_means_what_it_says() -> None:
    customer = CustomerFactory(number="A-1", category="Retail")
    PaymentMethodFactory(customer=customer)
    invoice = invoice_due(TODAY - timedelta(days=10), customer=customer, amount=usd("120.00"))
    invoice.last_reminded_at = NOW - timedelta(days=4)
    invoice.save(update_fields=["last_reminded_at"])
    invoice_due(TODAY + timedelta(days=50), customer=customer, amount=usd("100.00"))
    invoice_due(TODAY + timedelta(days=50), customer=customer, amount=Money(10**6, "EUR"))

    found = [(case, matches(customer.merchant, {"all": [LATE, case]})) for case, _ in CASES]

    assert found == CASES
    assert {case["if"] for case, _ in CASES} == set(SQL)


@pytest.mark.django_db
def test_groups_nest() -> None:
    customer = CustomerFactory(category="Retail")
    invoice_due(TODAY - timedelta(days=10), customer=customer)
    no, yes = {"if": "category_is", "is": "Other"}, {"if": "category_is", "is": "Retail"}

    assert matches(customer.merchant, {"all": [LATE, {"any": [no, {"all": [yes, LATE]}]}]})
    assert not matches(customer.merchant, {"all": [LATE, {"any": [no, {"all": [yes, no]}]}]})


def matches(merchant: Any, tree: dict[str, Any]) -> bool:
    rule: Rule = rules_of(merchant)[0]
    rule.conditions = tree
    count, _ = try_rule(rule, now=NOW)
    return bool(count)
