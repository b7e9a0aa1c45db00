"""Lists: the same number of queries for one row and for thirty, and filters that find what they say."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import GeneratedField, Model
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.invoices.models import InvoiceStatus
from payorcrm.mail.models import MailState
from payorcrm.merchants.models import Role
from payorcrm.payments.models import PaymentState
from tests.backoffice.rows import Shop, client_of, make_mail, make_payment, make_shop
from tests.factories.models import CustomerFactory, InvoiceFactory, PaymentMethodFactory, usd

pytestmark = pytest.mark.django_db
# A day and an hour at which rules run: what the dashboard asks about its runs depends on both.
MIDWEEK = datetime(2026, 3, 25, 15, 0, tzinfo=UTC)
QUERIES = {"customers": 9, "invoices": 7, "payments": 4, "mails": 6, "dashboard": 20}


def place(shop: Shop, name: str, query: str = "") -> str:
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug]) + query


def listed(client: Client, shop: Shop, name: str, query: str) -> str:
    text = client.get(place(shop, name, query)).text
    return text[text.index('id="list"') :]


@pytest.mark.parametrize("row_count", [1, 30])
@pytest.mark.parametrize("name", QUERIES)
def test_a_list_costs_the_same_for_one_row_and_for_thirty(name, row_count, django_assert_num_queries, travel_to):
    travel_to(MIDWEEK)
    shop = make_shop()
    for _ in range(row_count - 1):
        customer = CustomerFactory(merchant=shop.merchant)
        make_payment(customer, invoices=[InvoiceFactory(customer=customer)])
        make_mail(customer, state=MailState.FAILED)
    client = client_of(shop.merchant)

    with django_assert_num_queries(QUERIES[name]):
        response = client.get(place(shop, name))

    assert response.status_code == 200


def test_a_list_costs_the_same_for_a_hundred_thousand_rows(django_assert_num_queries, travel_to):
    travel_to(MIDWEEK)
    shop = make_shop()
    multiply(shop.customer, number="'X' || place")
    multiply(shop.invoice, number="'X' || place")
    multiply(shop.payment, reference="'X' || place", idempotency_key="'X' || place", gateway_reference="'X' || place")
    multiply(shop.mail)
    client = client_of(shop.merchant)

    for name, count in QUERIES.items():
        with django_assert_num_queries(count):
            response = client.get(place(shop, name))
        assert response.status_code == 200


def multiply(row: Model, **unique: str) -> None:
    """Write a hundred thousand copies of a row, in one statement; of unique columns what an expression says."""
    fields = [field for field in row._meta.concrete_fields if not isinstance(field, GeneratedField)]
    columns = [field.column for field in fields]
    chosen = ", ".join(({"id": "gen_random_uuid()"} | unique).get(column, column) for column in columns)
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table}, generate_series(1, 100000) "
            "AS place WHERE id = %s",
            [row.pk],
        )
        cursor.execute(f"ANALYZE {table}")


def test_customers_show_what_each_owes_in_each_currency():
    shop = make_shop()
    today = day_in("America/New_York", present())
    euros = usd("9.00").__class__(90000, "EUR")
    InvoiceFactory(customer=shop.customer, amount=usd("30.00"), due_on=today + timedelta(days=5))
    InvoiceFactory(customer=shop.customer, amount=usd("50.00"), in_flight=5000)
    InvoiceFactory(customer=shop.customer, amount=euros)

    text = listed(client_of(shop.merchant), shop, "customers", "")

    assert "$200.00" in text
    assert "€900.00" in text
    assert "$120.00" in text
    assert "$50.00" in text


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("?search=tools", True),
        ("?search={0.number}", True),
        ("?search=jo.{0.number}", True),
        ("?search=nobody", False),
        ("?show=overdue", True),
        ("?show=owing", True),
        ("?show=nonsense", True),
    ],
)
def test_customers_are_found(query, is_found):
    shop = make_shop()

    assert (
        shop.customer.company_name in listed(client_of(shop.merchant), shop, "customers", query.format(shop.customer))
    ) is is_found


def test_customers_who_owe_nothing_are_not_owing():
    shop = make_shop()
    paid = CustomerFactory(merchant=shop.merchant, company_name="Quits Ltd")
    later = CustomerFactory(merchant=shop.merchant, company_name="Later Ltd")
    InvoiceFactory(customer=later, due_on=day_in("America/New_York", present()) + timedelta(days=9))

    client = client_of(shop.merchant)

    assert paid.company_name not in listed(client, shop, "customers", "?show=owing")
    assert later.company_name in listed(client, shop, "customers", "?show=owing")
    assert later.company_name not in listed(client, shop, "customers", "?show=overdue")


@pytest.mark.parametrize(
    ("status", "numbers"),
    [
        ("overdue", {"late"}),
        ("open", {"late", "soon", "flying"}),
        ("processing", {"flying"}),
        ("paid", {"done"}),
        ("draft", {"draft"}),
        ("", {"late", "soon", "flying", "done", "draft"}),
    ],
)
def test_invoices_are_found_by_what_they_are_today(status, numbers):
    shop = make_shop()
    customer, today = shop.customer, day_in("America/New_York", present())
    shop.payment.allocations.all().delete()
    InvoiceFactory(customer=customer, number="late", due_on=today - timedelta(days=3))
    InvoiceFactory(customer=customer, number="soon", due_on=today + timedelta(days=3))
    InvoiceFactory(customer=customer, number="flying", in_flight=12000)
    InvoiceFactory(customer=customer, number="done", status=InvoiceStatus.PAID, balance=0)
    InvoiceFactory(customer=customer, number="draft", status=InvoiceStatus.DRAFT)

    text = listed(client_of(shop.merchant), shop, "invoices", f"?status={status}")

    assert {name for name in ("late", "soon", "flying", "done", "draft") if f">{name}</a>" in text} == numbers


def test_invoices_of_one_customer_alone():
    shop = make_shop()
    other = InvoiceFactory(customer=CustomerFactory(merchant=shop.merchant))

    text = listed(client_of(shop.merchant), shop, "invoices", f"?customer={shop.customer.id}")

    assert shop.invoice.number in text
    assert other.number not in text


def test_payments_are_found_by_state_method_and_words():
    shop = make_shop()
    bank = PaymentMethodFactory(customer=shop.customer, bank=True)
    debit = make_payment(shop.customer, method=bank, state=PaymentState.PENDING)
    client = client_of(shop.merchant)

    for query in ("?state=pending", "?kind=bank_account", f"?search={debit.reference.lower()}"):
        text = listed(client, shop, "payments", query)
        assert debit.reference in text
        assert shop.payment.reference not in text
    assert debit.reference in listed(client, shop, "payments", f"?customer={shop.customer.id}&search=acme")


def test_days_of_payments_are_the_merchants_days():
    shop = make_shop(time_zone="America/New_York")
    evening = make_payment(shop.customer, submitted_at=datetime(2026, 3, 11, 2, 0, tzinfo=UTC))
    client = client_of(shop.merchant)

    assert evening.reference in listed(client, shop, "payments", "?since=2026-03-10&until=2026-03-10")
    assert evening.reference not in listed(client, shop, "payments", "?since=2026-03-11&until=2026-03-11")


def test_a_filter_that_cannot_be_read_narrows_nothing():
    shop = make_shop()

    text = listed(client_of(shop.merchant), shop, "payments", "?since=soon&state=odd&customer=x")

    assert shop.payment.reference in text


@pytest.mark.parametrize("query", ["?until=9999-12-31", "?since=0001-01-01", "?until=2100-01-01"])
def test_days_at_the_end_of_the_calendar_are_refused(query):
    shop = make_shop()

    response = client_of(shop.merchant, Role.OWNER).get(place(shop, "payments", query))

    assert response.status_code == 200
    assert "Choose a day from 1990 to 2099." in response.text
    assert shop.payment.reference in response.text


@pytest.mark.parametrize("name", ["customers", "invoices", "payments", "mails"])
@pytest.mark.parametrize(
    "query", ["?search=%00", "?search=%ED%A0%80", "?customer=%00&since=%00", "?after=WyJcdTAwMDAiXQ"]
)
def test_what_the_database_cannot_hold_narrows_nothing(name, query):
    shop = make_shop()

    assert client_of(shop.merchant).get(place(shop, name, query)).status_code == 200


def test_a_list_without_rows_says_what_to_do():
    shop = make_shop()
    client = client_of(shop.merchant)

    assert "No payment fits" in listed(client, shop, "payments", "?search=zzz")
    shop.mail.delete()
    assert "No mail yet" in listed(client, shop, "mails", "")


def test_a_long_list_goes_on_at_the_next_page():
    shop = make_shop()
    payments = [shop.payment, *(make_payment(shop.customer) for _ in range(34))]
    client = client_of(shop.merchant)

    first = client.get(place(shop, "payments"))
    second = client.get(place(shop, "payments") + "?" + first.context["page"].next)

    pages = [[row.id for row in response.context["page"].rows] for response in (first, second)]
    assert [len(rows) for rows in pages] == [30, 5]
    assert {*pages[0], *pages[1]} == {payment.id for payment in payments}
