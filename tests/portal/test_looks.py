"""Every page of the portal in a real browser: axe finds nothing, nothing sticks out, and no page is heavy."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import URLPattern, reverse

from payorcrm.payment_methods.models import Verification
from payorcrm.portal.urls import urlpatterns
from tests.factories.browsing import HOST, Tab, browse
from tests.factories.models import PaymentMethodFactory, PortalAccessFactory
from tests.portal.test_access import things_of

MOST_BYTES = 60_000
# Their pages hold the processor's fields, which need the processor: tests/portal/test_methods.py looks at them.
WITH_FIELDS = {"method_add"}
PAGES = sorted(
    one.name
    for one in urlpatterns
    if isinstance(one, URLPattern) and str(one.pattern).startswith(("portal/", "c/")) and one.name not in WITH_FIELDS
)

pytestmark = pytest.mark.django_db


def addresses(access):
    """Return the address of every page; those that answer with a file, or to a press alone, are left out later."""
    merchant = {"merchant_slug": access.merchant.slug}
    for name in PAGES:
        (pattern,) = [one.pattern for one in urlpatterns if one.name == name]
        if {"token", "key", "kind"} & set(pattern.converters):
            continue
        things = things_of(access, name) | merchant
        if name == "method_verify":
            things["method_id"] = waiting(access).id
        yield name, reverse(f"portal:{name}", kwargs={word: things[word] for word in pattern.converters})


def waiting(access):
    return PaymentMethodFactory(customer=access.customer, bank=True, verification=Verification.PENDING)


@pytest.fixture
def access():
    access = PortalAccessFactory(
        customer__company_name="O'Brien & Söhne 🦀 Maschinenbau und Instandhaltungsgesellschaft mbH",
        customer__merchant__name="Alder & Finch Wholesale of Greater New England",
    )
    PortalAccessFactory(user=access.user)
    return access


@pytest.fixture
def pages(access):
    signed_in, stranger = Client(), Client()
    signed_in.force_login(access.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    found = {}
    for name, address in addresses(access):
        client = stranger if address.startswith("/c/") else signed_in
        answer = client.get(address)
        if answer.status_code in (200, 409) and answer["Content-Type"].startswith("text/html"):
            found[name] = (client, address, answer.content)
    return found


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_axe_finds_nothing_and_nothing_sticks_out(pages, width, scheme):
    problems = {}
    for client in {client for client, _address, _page in pages.values()}:
        own = {name: address for name, (whose, address, _page) in pages.items() if whose is client}
        problems |= browse(client, lambda tab, own=own: look_at(tab, own), width=width, scheme=scheme)

    assert len(problems) > 20
    assert {name: found for name, found in problems.items() if found} == {}


def look_at(tab: Tab, own: dict[str, str]) -> dict[str, list[str]]:
    """Return each page's problems. That a method cannot be removed now is a 409, which the console notes."""
    found = {}
    for name, address in own.items():
        tab.page.goto(HOST + address, wait_until="load")
        found[name] = [problem for problem in tab.problems() if "409 (Conflict)" not in problem]
    return found


def test_no_page_is_heavy(pages):
    weights = {name: weight_of(page) for name, (_client, _address, page) in pages.items()}

    assert {name: weight for name, weight in weights.items() if weight > MOST_BYTES} == {}


def weight_of(page: bytes) -> int:
    """Return what a page weighs, compressed, with its style sheet and scripts."""
    files = re.findall(r'(?:href|src)="' + settings.STATIC_URL + r'([^"]+\.(?:css|js))"', page.decode())
    assert sum(name.endswith(".css") for name in files) == 1
    return len(gzip.compress(page)) + sum(len(gzip.compress(Path(finders.find(name)).read_bytes())) for name in files)
