"""The payment history in a real browser, on a screen and on a phone, light and dark: axe finds nothing.

With `PAGE_PICTURES` naming a folder, a picture of each page is left there.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.payment_methods.models import Mandate
from payorcrm.payments.models import PaymentState
from tests.backoffice.rows import make_payment
from tests.factories.browsing import HOST, Tab, browse
from tests.factories.models import CustomerFactory, InvoiceFactory, PaymentMethodFactory, PortalAccessFactory

pytestmark = pytest.mark.django_db
FACTS = {
    "declined": {"decline_code": "insufficient_funds"},
    "returned": {"return_code": "R01"},
    "pending": {"expected_on": (now() + timedelta(days=4)).date()},
}


def customer_with_history():
    customer = CustomerFactory(company_name="Juniper Street Kitchen")
    bank = PaymentMethodFactory(customer=customer, bank=True)
    mandate = Mandate.objects.create(
        merchant=customer.merchant,
        customer=customer,
        method=bank,
        reference="MAN-7K2M-9QXD",
        text="I authorize Harbor Supply to debit $480.00 once from my checking account.\n\nI can revoke this.",
        version="1",
        amount=48_000,
        currency="USD",
        accepted_at=now(),
    )
    payments = {}
    for place, state in enumerate(PaymentState):
        invoices = [InvoiceFactory(customer=customer) for _ in range(1 + place)]
        by = {"method": bank, "mandate": mandate} if place % 2 else {}
        payments[str(state)] = make_payment(customer, state=state, invoices=invoices, **by, **FACTS.get(state, {}))
    return customer, payments


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (360, "light")])
def test_history_keeps_to_its_panels_and_axe_finds_nothing(width, scheme):
    customer, payments = customer_with_history()
    client = Client()
    client.force_login(
        PortalAccessFactory(customer=customer).user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    addresses = {
        "list": reverse("portal:payments"),
        "none": reverse("portal:payments") + "?search=nothing",
        **{state: reverse("portal:payment", args=[payment.id]) for state, payment in payments.items()},
    }

    def visit(tab: Tab) -> dict[str, list[str]]:
        found = {}
        for name, address in addresses.items():
            tab.page.goto(HOST + address, wait_until="load")
            if folder := os.environ.get("PAGE_PICTURES"):
                tab.page.screenshot(path=Path(folder) / f"payment-{name}-{width}-{scheme}.png", full_page=True)
            if problems := tab.problems():
                found[name] = problems
        return found

    assert browse(client, visit, width=width, scheme=scheme) == {}
