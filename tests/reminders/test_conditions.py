"""Trees of conditions: what is refused, and what each one matches."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import InvoiceDocument
from payorcrm.reminders.condition_kinds import Kind
from payorcrm.reminders.conditions import ConditionsRefused, check_customer_tree, check_tree, compile_customer_tree
from payorcrm.reminders.known_conditions import CONDITIONS
from payorcrm.reminders.models import Rule
from payorcrm.reminders.switch_rules import rules_of
from payorcrm.reminders.try_rule import try_rule
from tests.backoffice.rows import make_payment
from tests.factories.models import NOW, TODAY, CustomerFactory, PaymentMethodFactory, PortalAccessFactory, usd
from tests.reminders.rules import invoice_due, remind

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
        {"all": [LATE, {"if": "category_is", "is": "  "}]},
        {"all": [LATE, {"if": "currency_is", "is": "usd"}]},
        {"all": [LATE, {"if": "issued_from", "is": "2026-2-3"}]},
        {"all": [LATE, {"if": "has_pdf", "is": 1}]},
        {"if": "overdue_between", "is": 7},
        {"if": "overdue_between", "is": [8, 7]},
        {"if": "overdue_between", "is": [1, True]},
        {"if": "overdue_every", "is": [60, 0]},
        {"all": [LATE] * 41},
        {"all": [{"all": [{"all": [{"all": [{"all": [LATE]}]}]}]}]},
    ],
)
def test_what_means_nothing_is_refused(tree: Any) -> None:
    with pytest.raises(ConditionsRefused):
        check_tree(tree)


CASES: list[tuple[str, Any, bool]] = [
    ("overdue_exactly", 10, True),
    ("overdue_exactly", 9, False),
    ("overdue_at_least", 11, False),
    ("overdue_between", [5, 10], True),
    ("overdue_between", [11, 20], False),
    ("overdue_every", [4, 3], True),
    ("overdue_every", [10, 7], True),
    ("overdue_every", [4, 4], False),
    ("overdue_every", [13, 3], False),
    ("due_in", 10, False),
    ("due_within", 10, False),
    ("last_reminded_at_least", 4, True),
    ("last_reminded_at_least", 5, False),
    ("reminded_before", True, True),
    ("reminded_before", False, False),
    ("reminders_at_least", 1, True),
    ("reminders_at_least", 2, False),
    ("reminders_at_most", 1, True),
    ("reminders_at_most", 0, False),
    ("amount_at_least", 12_000, True),
    ("amount_at_most", 11_999, False),
    ("amount_between", [11_000, 12_000], True),
    ("amount_between", [12_001, 13_000], False),
    ("currency_is", "USD", True),
    ("currency_is_not", "USD", False),
    ("is_part_paid", True, True),
    ("is_part_paid", False, False),
    ("invoice_number_is", "r-77", True),
    ("invoice_number_is_not", "R-77", False),
    ("invoice_number_begins_with", "r-", True),
    ("invoice_number_begins_with", "R_", False),
    ("issued_from", "2026-10-11", True),
    ("issued_from", "2026-10-12", False),
    ("issued_before", "2026-10-12", True),
    ("issued_before", "2026-10-11", False),
    ("has_pdf", True, True),
    ("has_pdf", False, False),
    ("balance_at_least", 22_000, True),
    ("balance_at_most", 21_999, False),
    ("balance_between", [22_000, 22_000], True),
    ("balance_between", [22_001, 30_000], False),
    ("overdue_total_at_least", 12_000, True),
    ("overdue_total_at_least", 12_001, False),
    ("overdue_total_at_most", 12_000, True),
    ("overdue_total_at_most", 11_999, False),
    ("overdue_count_at_least", 1, True),
    ("overdue_count_at_least", 2, False),
    ("category_is", "retail", True),
    ("category_is", "' OR true --", False),
    ("category_is_not", "Retail", False),
    ("category_is_not", "Other", True),
    ("number_is", "A-1", True),
    ("number_is_not", "A-1", False),
    ("number_begins_with", "A%", False),
    ("number_begins_with", "A-", True),
    ("name_contains", "o'neil", True),
    ("name_contains", "%", False),
    ("name_does_not_contain", "🍀", False),
    ("language_is", "en", True),
    ("language_is", "es", False),
    ("language_is_not", "es", True),
    ("has_saved_method", True, True),
    ("has_saved_method", False, False),
    ("has_portal_login", True, True),
    ("has_portal_login", False, False),
    ("last_paid_at_least", 20, True),
    ("last_paid_at_least", 21, False),
    ("last_paid_within", 21, True),
    ("last_paid_within", 20, False),
    ("has_paid", True, True),
    ("has_paid", False, False),
]


@pytest.mark.django_db
def test_each_condition_means_what_it_says() -> None:
    customer = _known_customer()

    found = [
        (name, value, matches(customer.merchant, {"all": [LATE, {"if": name, "is": value}]}))
        for name, value, _ in CASES
    ]

    assert found == CASES
    assert {name for name, _, _ in CASES} == set(CONDITIONS)


def _known_customer() -> Customer:
    """Make a customer with an invoice ten days late, paid in part, with a PDF, mailed about four days ago."""
    customer = CustomerFactory(number="A-1", category="Retail", company_name="O'Neil “Lucky” 🍀 Tools")
    PaymentMethodFactory(customer=customer)
    PortalAccessFactory(customer=customer)
    make_payment(customer, submitted_at=NOW - timedelta(days=20))
    invoice = invoice_due(TODAY - timedelta(days=10), customer=customer, amount=usd("150.00"), number="R-77")
    invoice.balance = 12_000
    invoice.save(update_fields=["balance"])
    InvoiceDocument.objects.create(merchant=customer.merchant, invoice=invoice, pdf=b"%PDF", uploaded_at=NOW)
    remind(invoice, now=NOW - timedelta(days=4))
    invoice_due(TODAY + timedelta(days=50), customer=customer, amount=usd("100.00"))
    invoice_due(TODAY + timedelta(days=50), customer=customer, amount=Money(10**6, "EUR"))
    return customer


@pytest.mark.django_db
def test_who_was_never_reminded_and_never_paid_is_found_too() -> None:
    customer = CustomerFactory()
    invoice_due(TODAY - timedelta(days=10), customer=customer)
    conditions = [
        {"if": "last_reminded_at_least", "is": 30},
        {"if": "reminded_before", "is": False},
        {"if": "reminders_at_most", "is": 0},
        {"if": "last_paid_at_least", "is": 30},
        {"if": "has_paid", "is": False},
        {"if": "has_saved_method", "is": False},
        {"if": "has_portal_login", "is": False},
        {"if": "category_is_not", "is": "Retail"},
    ]

    assert matches(customer.merchant, {"all": [LATE, *conditions]})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "name", "expected"),
    [(-5, "due_in", True), (-5, "due_within", True), (0, "due_within", True), (1, "due_within", False)],
)
def test_an_invoice_that_is_not_due_yet_is_found(days: int, name: str, *, expected: bool) -> None:
    customer = CustomerFactory()
    invoice_due(TODAY - timedelta(days=days), customer=customer)

    assert matches(customer.merchant, {"all": [{"if": name, "is": 5}]}) is expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("currency", "minor", "expected"),
    [("JPY", 100, True), ("JPY", 99, False), ("KWD", 100_000, True), ("KWD", 99_999, False)],
)
def test_an_amount_counts_units_of_each_currency(currency: str, minor: int, *, expected: bool) -> None:
    customer = CustomerFactory()
    invoice_due(TODAY - timedelta(days=5), customer=customer, amount=Money(minor, currency))

    found = [
        matches(customer.merchant, {"all": [LATE, {"if": name, "is": 10_000}]})
        for name in ("amount_at_least", "balance_at_least", "overdue_total_at_least")
    ]

    assert found == [expected] * 3


@pytest.mark.django_db
@pytest.mark.parametrize("currency", ["JPY", "USD", "CLF"])
def test_the_largest_amount_can_be_asked_for_in_any_currency(currency: str) -> None:
    customer = CustomerFactory()
    invoice_due(TODAY - timedelta(days=5), customer=customer, amount=Money(10**15, currency))
    names = [name for name, each in CONDITIONS.items() if each.kind is Kind.AMOUNT and name.endswith("at_most")]

    assert all(
        matches(customer.merchant, {"all": [LATE, {"if": name, "is": 10**15}]}) is (currency != "JPY") for name in names
    )


@pytest.mark.django_db
def test_conditions_about_customers_alone_are_compiled_for_other_lists() -> None:
    rich, poor = CustomerFactory(), CustomerFactory()
    for customer, amount in ((rich, "500.00"), (poor, "5.00")):
        invoice_due(TODAY - timedelta(days=5), customer=customer, amount=usd(amount))
    tree = {"any": [{"if": "overdue_total_at_least", "is": 10_000}, {"if": "category_is", "is": "Retail"}]}

    compiled = compile_customer_tree(tree, currency="'USD'", day="%(today)s::date")
    statement = f"SELECT id FROM customers_customer AS customer WHERE {compiled.sql}"
    with connection.cursor() as cursor:
        cursor.execute(statement, compiled.values | {"today": TODAY, "zone": "UTC", "language": "en"})
        found = cursor.fetchall()

    assert found == [(rich.id,)]


def test_a_tree_about_customers_refuses_conditions_about_invoices() -> None:
    with pytest.raises(ConditionsRefused, match="says nothing about a customer"):
        check_customer_tree({"all": [{"if": "category_is", "is": "Retail"}, LATE]})


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
    return bool(try_rule(rule, now=NOW).count)
