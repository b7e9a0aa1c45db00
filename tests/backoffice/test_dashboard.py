"""The dashboard: its figures are right, and each leads to just the rows that it counts."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from payorcrm.backoffice.standing import day_word, periods_of
from payorcrm.backoffice.views import days_sales
from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.core.money import Money
from payorcrm.invoices.models import InvoiceStatus
from payorcrm.mail.models import MailState
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import PaymentState
from tests.backoffice.rows import client_of, make_mail, make_payment
from tests.factories.models import CustomerFactory, InvoiceFactory, MerchantFactory, usd

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 3, 30, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 30)


def dashboard(merchant: Merchant, query: str = ""):
    return client_of(merchant).get(reverse("backoffice:dashboard", args=[merchant.slug]) + query)


def rows_behind(client: Client, address: str) -> list:
    """Return all rows of the list that an address leads to."""
    rows, next_page = [], address
    while next_page:
        context = client.get(next_page).context
        rows += context["page"].rows
        next_page = f"{address.partition('?')[0]}?{context['page'].next}" if context["page"].next else ""
    return rows


@pytest.fixture
def merchant(travel_to) -> Merchant:
    travel_to(MOMENT)
    merchant = MerchantFactory(time_zone="America/New_York")
    other = CustomerFactory(merchant=MerchantFactory())
    InvoiceFactory(customer=other)
    make_payment(other, settled_at=MOMENT)
    make_mail(other, sent_at=MOMENT)
    customer = CustomerFactory(merchant=merchant, company_name="Bluewater")
    for days in (-40, 0, 1, 30, 31, 60, 61, 90, 91, 400):
        InvoiceFactory(customer=customer, due_on=TODAY - timedelta(days=days), amount=usd("100.00"), issued_on=TODAY)
    InvoiceFactory(customer=customer, due_on=TODAY - timedelta(days=5), amount=usd("50.00"), in_flight=5000)
    InvoiceFactory(customer=customer, due_on=TODAY - timedelta(days=5), amount=usd("70.00"), in_flight=2000)
    InvoiceFactory(customer=customer, due_on=TODAY - timedelta(days=5), status=InvoiceStatus.PAID, balance=0)
    InvoiceFactory(customer=customer, due_on=TODAY - timedelta(days=5), amount=Money(900, "EUR"))
    return merchant


def test_each_bar_of_the_ageing_leads_to_its_invoices(merchant):
    standing = dashboard(merchant).context["standing"]
    client = client_of(merchant)

    for bar in standing.buckets:
        rows = rows_behind(client, bar.address)
        assert (len(rows), sum(row.balance for row in rows)) == (bar.count, bar.amount.minor)
    assert [bar.amount for bar in standing.buckets] == [
        usd("200.00"),
        usd("320.00"),
        usd("200.00"),
        usd("200.00"),
        usd("200.00"),
    ]


def test_owed_overdue_and_processing_lead_to_their_invoices(merchant):
    standing = dashboard(merchant).context["standing"]
    client, aging = client_of(merchant), standing.aging

    owed = rows_behind(client, standing.addresses["owed"])
    overdue = rows_behind(client, standing.addresses["overdue"])
    processing = rows_behind(client, standing.addresses["processing"])

    assert (len(owed), sum(row.balance for row in owed)) == (aging.open_count, aging.owed.minor) == (12, 112_000)
    assert (len(overdue), sum(row.balance - row.in_flight for row in overdue)) == (9, aging.overdue.minor)
    assert sum(row.in_flight for row in processing) == aging.processing.minor == 7_000


def test_one_currency_at_a_time(merchant):
    page = dashboard(merchant, "?currency=EUR")

    assert page.context["standing"].aging.owed == Money(900, "EUR")
    assert [each.currency for each in page.context["agings"]] == ["USD", "EUR"]
    assert 'href="?currency=USD"' in page.text
    assert dashboard(merchant, "?currency=XXX").context["standing"].aging.currency == "USD"


def test_this_month_is_compared_with_as_many_days_of_the_last(merchant):
    customer = merchant.customers.get()
    for settled_at in ("2026-03-01T06", "2026-03-30T14", "2026-02-01T06", "2026-02-28T23", "2026-01-31T12"):
        make_payment(customer, settled_at=datetime.fromisoformat(f"{settled_at}:00:00+00:00"))
    make_payment(customer, settled_at=MOMENT, state=PaymentState.REFUNDED)
    make_payment(customer, settled_at=MOMENT, currency="EUR")

    now, before = dashboard(merchant).context["standing"].months

    client = client_of(merchant)
    assert (now.amount, now.count) == (usd("240.00"), 2)
    assert (before.amount, before.count) == (usd("240.00"), 2)
    for bar in (now, before):
        assert sum(row.amount for row in rows_behind(client, bar.address)) == bar.amount.minor


@pytest.mark.parametrize(
    ("today", "last"),
    [
        (date(2026, 3, 30), (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 1, 1), (date(2025, 12, 1), date(2025, 12, 1))),
        (date(2024, 3, 31), (date(2024, 2, 1), date(2024, 2, 29))),
        (date(2026, 5, 15), (date(2026, 4, 1), date(2026, 4, 15))),
    ],
)
def test_the_last_month_has_as_many_days_unless_it_is_shorter(today, last):
    assert periods_of(today) == [(today.replace(day=1), today), last]


def test_returned_payments_of_thirty_days(merchant):
    customer = merchant.customers.get()
    facts = {"state": PaymentState.RETURNED, "return_code": "R01"}
    make_payment(customer, returned_at=MOMENT - timedelta(days=3), **facts)
    make_payment(customer, returned_at=MOMENT - timedelta(days=33), **facts)

    standing = dashboard(merchant).context["standing"]

    assert (standing.returned.amount, standing.returned.count) == (usd("120.00"), 1)
    assert len(rows_behind(client_of(merchant), standing.addresses["returned"])) == 1


def test_the_most_overdue_customers_come_first(merchant):
    small = CustomerFactory(merchant=merchant, company_name="Small")
    InvoiceFactory(customer=small, due_on=TODAY - timedelta(days=1), amount=usd("5.00"))

    debtors = dashboard(merchant).context["standing"].debtors

    assert [each.debtor.company_name for each in debtors] == ["Bluewater", "Small"]
    rows = rows_behind(client_of(merchant), debtors[0].address)
    assert sum(row.balance - row.in_flight for row in rows) == debtors[0].debtor.overdue.minor


def test_mails_of_today_lead_to_their_rows(merchant):
    customer = merchant.customers.get()
    make_mail(customer, sent_at=MOMENT)
    make_mail(customer, sent_at=MOMENT - timedelta(days=1), queued_at=MOMENT - timedelta(days=1))
    make_mail(customer, state=MailState.FAILED, queued_at=MOMENT)
    make_mail(customer, state=MailState.BOUNCED, queued_at=MOMENT - timedelta(days=1))

    mails = dashboard(merchant).context["mails_today"]

    assert (mails.sent, mails.failed) == (1, 1)
    client = client_of(merchant)
    assert [len(rows_behind(client, place)) for place in (mails.sent_address, mails.failed_address)] == [1, 1]


def test_days_sales_outstanding_is_owed_by_invoiced_times_ninety(merchant):
    paid = CustomerFactory(merchant=merchant)
    InvoiceFactory(customer=paid, issued_on=TODAY, status=InvoiceStatus.PAID, balance=0, amount=usd("1180.00"))

    standing = dashboard(merchant).context["standing"]

    # 1,120 is owed; 1,000 of it and what is paid were issued today, the rest later.
    assert (standing.sales.invoiced, standing.sales.days) == (usd("2180.00"), round(1120 * 90 / 2180))


def test_days_sales_outstanding_leads_to_every_invoice_that_counts_in_it(merchant):
    client, paid = client_of(merchant), CustomerFactory(merchant=merchant)
    facts = {"customer": paid, "amount": usd("1180.00")}
    InvoiceFactory(issued_on=TODAY, status=InvoiceStatus.PAID, balance=0, **facts)
    InvoiceFactory(issued_on=TODAY - timedelta(days=90), status=InvoiceStatus.PAID, balance=0, **facts)
    InvoiceFactory(issued_on=TODAY - timedelta(days=89), status=InvoiceStatus.VOID, balance=0, **facts)
    InvoiceFactory(issued_on=TODAY, status=InvoiceStatus.DRAFT, **facts)
    InvoiceFactory(issued_on=TODAY - timedelta(days=90), balance=100, **facts)
    standing = client.get(reverse("backoffice:dashboard", args=[merchant.slug])).context["standing"]

    page = client.get(standing.addresses["sales"])

    rows = page.context["rows"]
    assert len(rows) == len(page.context["page"].rows) == 13 + 1
    assert sum(row.invoiced.minor for row in rows if row.invoiced) == standing.sales.invoiced.minor
    assert sum(row.owed.minor for row in rows if row.owed) == standing.aging.owed.minor
    text = unescape(re.sub(r"<[^>]+>", "", page.text))
    assert "$1,121.00 ÷ $2,180.00 × 90" in text


def test_invoices_behind_days_sales_outstanding_are_read_in_their_order(merchant):
    listed = days_sales._counted(merchant, "USD", TODAY - timedelta(days=89), TODAY).order_by("-issued_on", "-id")[:31]

    with connection.cursor() as cursor:
        # So few rows are sorted at once; what stays sorted under these is what no index can order.
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        plan = listed.explain()

    assert "invoice_latest_of_currency" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("query", ["?currency=XXX", "?currency=%00", "?currency=EUR", "?after=nonsense"])
def test_days_sales_outstanding_bears_any_address(merchant, query):
    assert client_of(merchant).get(reverse("backoffice:days_sales", args=[merchant.slug]) + query).status_code == 200


@pytest.mark.parametrize(("days", "word"), [(0, "Today"), (1, "Tomorrow"), (4, "Friday"), (7, "Apr 6")])
def test_the_next_run_is_named_as_people_name_days(days, word):
    assert day_word(TODAY + timedelta(days=days), today=TODAY) == word


def test_a_merchant_without_anything_sees_zeros():
    merchant = MerchantFactory()

    page = dashboard(merchant)

    text = unescape(re.sub(r"<[^>]+>", "", page.text))
    assert page.context["standing"].aging.owed == usd("0")
    assert page.context["standing"].sales.days is None
    assert "Nobody is overdue" in text


def test_charts_are_tables_to_those_who_do_not_see_them():
    merchant = MerchantFactory()
    InvoiceFactory(
        customer=CustomerFactory(merchant=merchant), due_on=day_in("America/New_York", present()) - timedelta(days=45)
    )

    text = dashboard(merchant).text

    assert re.search(r"<caption[^>]*>Owed by age</caption>", text)
    assert text.count('<svg class="bar"') == text.count('<svg class="bar" aria-hidden="true"') == 7
    assert " style=" not in text
