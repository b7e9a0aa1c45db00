"""Every page in a real browser: wide and narrow, light and dark; axe finds nothing and nothing sticks out.

With `PAGE_PICTURES` naming a folder, a picture of each page is left there.
"""

import os
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from tests.backoffice.rows import Shop, client_of, fill, make_payment, make_shop
from tests.factories.browsing import HOST, Tab, browse

pytestmark = pytest.mark.django_db
LOOKS = [(1280, "dark"), (360, "light")]


def addresses(shop: Shop) -> dict[str, str]:
    slug = shop.merchant.slug
    names = ["dashboard", "customers", "invoices", "payments", "templates", "mails", "settings", "reminders_send"]
    pages = {name: reverse(f"backoffice:{name}", args=[slug]) for name in names}
    for name in ("customer_history", "customer_contact"):
        pages[name] = reverse(f"backoffice:{name}", args=[slug, shop.customer.id])
    for name in ("customer", "invoice", "payment", "template"):
        pages[name] = reverse(f"backoffice:{name}", args=[slug, shop.ids()[f"{name}_id"]])
    pages["invoice_new"] = reverse("backoffice:invoice_new", args=[slug]) + f"?customer={shop.customer.id}&find=a"
    returned = make_payment(shop.customer, state="returned", return_code="R01", invoices=[shop.invoice])
    pages["payment_returned"] = reverse("backoffice:payment", args=[slug, returned.id])
    pages["invoices_narrow"] = pages["invoices"] + "?bucket=4&sort=-balance&at_least=nothing"
    pages["customers_narrow"] = pages["customers"] + "?sort=-overdue&reach=no_address"
    pages["payments_none"] = pages["payments"] + "?search=nothing-like-this"
    return pages


def look_at(pages: dict[str, str], width: int, scheme: str):
    def visit(tab: Tab) -> list[str]:
        problems = []
        for name, address in pages.items():
            tab.page.goto(HOST + address, wait_until="networkidle" if name == "template" else "load")
            if folder := os.environ.get("PAGE_PICTURES"):
                tab.page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
            problems += [f"{name}: {problem}" for problem in tab.problems()]
        return problems

    return visit


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_accessible_and_fits(width, scheme):
    shop = make_shop(name="Harbor Supply")
    fill(shop)
    visit = look_at(addresses(shop), width, scheme)

    assert browse(client_of(shop.merchant), visit, width=width, scheme=scheme) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_sign_in_page_is_accessible_and_fits(width, scheme):
    names = ["account_login", "account_reset_password", "account_reset_password_done", "account_signup"]
    visit = look_at({name: reverse(name) for name in names}, width, scheme)

    assert browse(Client(), visit, width=width, scheme=scheme) == []


def test_the_navigation_opens_on_a_telephone():
    shop = make_shop()
    start = HOST + reverse("backoffice:dashboard", args=[shop.merchant.slug])

    def visit(tab: Tab) -> str:
        tab.page.goto(start)
        tab.page.get_by_role("button", name="Menu").click()
        tab.page.get_by_role("link", name="Payments", exact=True).click()
        return tab.page.get_by_role("heading", level=1).inner_text()

    assert browse(client_of(shop.merchant), visit, width=360) == "Payments"


def test_typing_in_the_search_narrows_the_list_at_once():
    shop = make_shop()
    other = make_payment(shop.customer)
    start = HOST + reverse("backoffice:payments", args=[shop.merchant.slug])

    def visit(tab: Tab) -> tuple[bool, str, list[str]]:
        tab.page.goto(start)
        tab.page.get_by_role("searchbox").fill(other.reference)
        tab.page.get_by_text(shop.payment.reference).wait_for(state="detached")
        return tab.page.get_by_role("link", name=other.reference).is_visible(), tab.page.url, tab.complaints

    is_visible, url, complaints = browse(client_of(shop.merchant), visit)

    assert is_visible
    assert f"search={other.reference}" in url
    assert complaints == []
