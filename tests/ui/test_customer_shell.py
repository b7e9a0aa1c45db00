"""A customer's page in a real browser, with each kind of logo: axe finds nothing and nothing sticks out.

With `PAGE_PICTURES` naming a folder, a picture of each page is left there.
"""

import io
import os
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from payorcrm.merchants.logo import LOGO_TYPE
from tests.backoffice.rows import make_payment
from tests.factories.browsing import HOST, Tab, browse
from tests.factories.models import CustomerFactory, InvoiceFactory, PaymentMethodFactory, PortalAccessFactory

pytestmark = pytest.mark.django_db


def picture(width: int, height: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "#1d6b52").save(written, format="PNG")
    return written.getvalue()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1000, "dark"), (360, "light")])
@pytest.mark.parametrize("size", [(200, 200), (640, 120)])
def test_a_payment_keeps_to_its_panels_under_any_logo(width, scheme, size):
    customer = CustomerFactory(
        merchant__name="Alder & Finch Wholesale of Greater New England",
        merchant__logo=picture(*size),
        merchant__logo_type=LOGO_TYPE,
    )
    bank = PaymentMethodFactory(customer=customer, bank=True, bank_name="Second Savings Bank of Southern Massachusetts")
    payment = make_payment(customer, method=bank, invoices=[InvoiceFactory(customer=customer)])
    client = Client()
    client.force_login(
        PortalAccessFactory(customer=customer).user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )

    def visit(tab: Tab) -> list[str]:
        tab.page.goto(HOST + reverse("portal:payment", args=[payment.id]), wait_until="load")
        if folder := os.environ.get("PAGE_PICTURES"):
            tab.page.screenshot(path=Path(folder) / f"customer-{size[0]}-{width}-{scheme}.png", full_page=True)
        return tab.problems()

    assert browse(client, visit, width=width, scheme=scheme) == []
