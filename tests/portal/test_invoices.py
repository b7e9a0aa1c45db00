"""The list of invoices: what is found under which tab, in which order, at what cost, and who may see it."""

import gzip
import re
from html import unescape

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice
from tests.factories.browsing import Tab, browse
from tests.factories.models import usd
from tests.portal.invoice_kit import access, customer, numbers_in, owe, owe_many, shown, signed_in, some_of_each

__all__ = ["access", "customer", "signed_in"]

pytestmark = pytest.mark.django_db
QUERIES = 5
MOST_BYTES = 60_000


@pytest.mark.parametrize(("invoice_count", "row_count"), [(1, 1), (37, 30), (10_000, 30)])
def test_the_list_costs_the_same_however_long(signed_in, customer, invoice_count, row_count, django_assert_num_queries):
    owe_many(customer, invoice_count)

    with django_assert_num_queries(QUERIES):
        page = shown(signed_in)

    assert len(numbers_in(page)) == row_count


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", ["late", "soon", "partly"]),
        ("?tab=nonsense&sort=odd&currency=none&since=soon&until=9999-12-31", ["late", "soon", "partly"]),
        ("?tab=processing", ["flying", "partly"]),
        ("?tab=paid&sort=number", ["done", "gone", "lost"]),
        ("?overdue=on", ["late"]),
        ("?search=OO", ["soon"]),
        ("?search=%00", ["late", "soon", "partly"]),
        ("?sort=-due", ["partly", "soon", "late"]),
        ("?sort=number", ["late", "partly", "soon"]),
        ("?sort=-number", ["soon", "partly", "late"]),
    ],
)
def test_a_tab_shows_what_it_says(signed_in, customer, query, numbers):
    some_of_each(customer)

    assert numbers_in(shown(signed_in, query)) == numbers


def test_due_dates_and_currencies_narrow_the_list(signed_in, customer):
    today = day_in("America/New_York", present())
    owe(customer, "early", due_in=-3)
    owe(customer, "later", due_in=20)
    owe(customer, "euro", due_in=21, amount=Money(5000, "EUR"))

    assert numbers_in(shown(signed_in, f"?since={today}")) == ["later", "euro"]
    assert numbers_in(shown(signed_in, f"?until={today}")) == ["early"]
    assert numbers_in(shown(signed_in, "?currency=EUR")) == ["euro"]


def test_amounts_and_invoice_dates_sort_both_ways(signed_in, customer):
    for number, amount, due_in in (("mid", "20.00", 3), ("big", "300.00", 2), ("small", "1.00", 1)):
        owe(customer, number, amount=usd(amount), due_in=due_in)

    assert numbers_in(shown(signed_in, "?sort=amount")) == ["small", "mid", "big"]
    assert numbers_in(shown(signed_in, "?sort=-amount")) == ["big", "mid", "small"]
    assert numbers_in(shown(signed_in, "?sort=issued")) == ["small", "big", "mid"]
    assert numbers_in(shown(signed_in, "?sort=-issued")) == ["mid", "big", "small"]


def test_the_top_says_what_is_owed_and_overdue_in_each_currency(signed_in, customer):
    some_of_each(customer)
    owe(customer, "euro", amount=Money(5000, "EUR"))

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown(signed_in)))

    assert "Unpaid $320.00 3 invoices Overdue, of that $120.00 1 invoice Being paid $160.00 2 invoices" in page
    assert "Unpaid €50.00 1 invoice Overdue, of that €0.00 0 invoices" in page
    assert "Pay all 3 unpaid invoices, $320.00" in page
    assert "12 days overdue" in page


def test_the_top_is_right_after_every_change(signed_in, customer):
    invoice = owe(customer, "one")
    before = shown(signed_in)
    Invoice.objects.filter(id=invoice.id).update(in_flight=12000)

    assert "$120.00, " not in before
    assert "Pay the one unpaid invoice, $120.00" in before
    assert "unpaid invoice, $120.00" not in shown(signed_in)


def test_an_invoice_whose_payment_is_under_way_cannot_be_picked_and_says_why(signed_in, customer):
    some_of_each(customer)

    unpaid, processing = shown(signed_in), shown(signed_in, "?tab=processing")

    assert unpaid.count('name="invoice"') == 3
    assert 'data-minor="8000"' in unpaid
    assert "A payment of $40.00 is under way" in unpaid
    assert 'name="invoice"' not in processing
    assert "A payment is under way" in processing


def test_every_page_of_a_long_list_shows_other_rows_until_all_are_shown(signed_in, customer):
    owe_many(customer, 95)
    seen, query = [], ""
    while True:
        page = shown(signed_in, query)
        seen += numbers_in(page)
        if not (following := re.search(r'rel="next" href="([^"]*)"', page)):
            break
        query = unescape(following[1])

    assert len(seen) == len(set(seen)) == 76


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Nothing to pay"),
        ("?tab=processing", "No payment is under way"),
        ("?tab=paid", "No paid invoice yet"),
        ("?search=zzz", "No invoice fits"),
    ],
)
def test_an_empty_list_says_why(signed_in, query, words):
    assert words in shown(signed_in, query)


def test_a_full_page_is_light(signed_in, customer):
    owe_many(customer, 100)

    page = shown(signed_in)
    files = re.findall(r'(?:href|src)="' + settings.STATIC_URL + r'([^"]+\.(?:css|js))"', page)
    weights = {name: len(gzip.compress(read(name))) for name in files}

    assert {"ui/app.css", "portal/invoices.js"} <= weights.keys()
    assert len(gzip.compress(page.encode())) + sum(weights.values()) < MOST_BYTES


def read(name: str) -> bytes:
    with open(finders.find(name), "rb") as file:  # noqa: PTH123
        return file.read()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_the_pages_are_usable_by_everybody(signed_in, customer, width, scheme):
    some_of_each(customer)
    owe(customer, "euro", amount=Money(5000, "EUR"))
    invoice = customer.invoices.get(number="late")
    addresses = [
        *(reverse("portal:invoices") + query for query in ("", "?tab=processing", "?tab=paid", "?search=zzz")),
        reverse("portal:invoice", args=[invoice.id]),
    ]

    def visit(tab: Tab) -> list[str]:
        found = []
        for address in addresses:
            tab.page.goto("http://localhost" + address)
            found += [f"{address}: {problem}" for problem in tab.problems()]
        return found

    assert browse(signed_in, visit, width=width, scheme=scheme) == []


def test_the_bar_adds_up_what_is_selected_across_pages(signed_in, customer):
    owe_many(customer, 50)
    first, *_, last = Invoice.objects.open().filter(customer=customer).order_by("due_on", "id")
    total = Money(first.balance + last.balance, "USD")

    def visit(tab: Tab) -> list[str]:
        page = tab.page
        pay = page.locator(".paybar .primary")
        page.goto("http://localhost" + reverse("portal:invoices"))
        said = [str(pay.is_disabled())]
        page.locator(f'input[value="{first.id}"]').check()
        said.append(pay.inner_text())
        page.get_by_role("link", name="Next").click()
        page.locator(f'input[value="{last.id}"]').check()
        said.append(pay.inner_text())
        page.get_by_role("button", name="Clear", exact=True).click()
        return [*said, str(pay.is_disabled())]

    said = browse(signed_in, visit)

    one = f"Pay 1 invoice, {first.balance_money()}"
    assert said == ["True", one, f"Pay 2 invoices, {total}", "True"]


def test_the_bar_says_that_a_payment_has_one_currency(signed_in, customer):
    owe(customer, "dollar")
    owe(customer, "euro", amount=Money(5000, "EUR"))

    def visit(tab: Tab) -> tuple[str, bool]:
        tab.page.goto("http://localhost" + reverse("portal:invoices"))
        tab.page.get_by_label("Select all on this page").check()
        return tab.page.locator(".paybar [role=status]").inner_text(), tab.page.locator(
            ".paybar .primary"
        ).is_disabled()

    words, is_disabled = browse(signed_in, visit)

    assert "only be in one currency" in words
    assert is_disabled


def test_selected_invoices_are_paid_without_scripts(signed_in, customer):
    first, second = owe(customer, "one"), owe(customer, "two")

    page = shown(signed_in)
    answer = signed_in.post(reverse("portal:basket"), {"invoice": [first.id, second.id]})

    assert "Pay the selected invoices" in page
    assert f'action="{reverse("portal:basket")}"' in page
    assert answer.status_code == 302
    assert answer.url.startswith("/portal/pay/")
