"""What the tests of choosing and paying in the portal say again and again."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.urls import reverse

from payorcrm.merchants.models import GatewayAccount
from payorcrm.merchants.queries import gateway_of
from tests.factories.models import CustomerFactory, InvoiceFactory, PortalAccessFactory, usd
from tests.gateways.sandbox.kit import post_form

ACCOUNT = "000123458820"


@pytest.fixture
def access(merchant, client):
    access = PortalAccessFactory(customer=CustomerFactory(merchant=merchant))
    client.force_login(access.user)
    return access


@pytest.fixture
def invoices(access):
    return [
        InvoiceFactory(customer=access.customer, number="INV-70", amount=usd("70.00")),
        InvoiceFactory(customer=access.customer, number="INV-50", amount=usd("50.00")),
    ]


@pytest.fixture
def card(access, saved):
    return saved(customer=access.customer)


def choose(client, *invoices, **more):
    """Send a selection and return the address of its page."""
    answer = client.post(reverse("portal:basket"), {"invoice": [str(one.id) for one in invoices]} | more)
    return answer.url


def hidden(page):
    return re.search(r'name="checkout" value="([^"]+)"', page.content.decode()).group(1)


def press(client, address, choice, **more):
    """Open the page of a way to pay and press its button."""
    shown = client.get(f"{address}?with={choice}")
    return client.post(f"{address}?with={choice}", {"checkout": hidden(shown)} | more, follow=True)


def text(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def entered(merchant, kind, fields):
    """Return what the processor's fields hand to the page when a payer has filled them in."""
    line = gateway_of(GatewayAccount.objects.get(merchant=merchant))
    session = line.start_saving_method(
        kind, return_url=f"{settings.PUBLIC_URL}/back/", parent_origin=settings.PUBLIC_URL
    )
    answer = post_form(session.hosted_url, fields)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["method_token"][0]
