"""The portal mirrored, as Hebrew and Arabic need it, and pages that stay where they are while they load."""

import pytest
from django.test import Client
from django.urls import reverse

from payorcrm.payments.links import CARD, payment_token
from tests.backoffice.rows import make_payment
from tests.factories.browsing import HOST, browse
from tests.factories.models import NOW, InvoiceFactory, PaymentMethodFactory, PortalAccessFactory, request_for

pytestmark = pytest.mark.django_db
HEBREW, ARABIC = ("he", "עברית"), ("ar", "العربية")
SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => resolve(sum), 150);
})"""
# Where the brand stands: 0 is the left edge of the screen, 1 the right one.
BRAND = """() => {
  const box = document.querySelector(".customer-top .brand").getBoundingClientRect();
  return (box.left + box.right) / 2 / innerWidth;
}"""


@pytest.fixture
def access():
    return PortalAccessFactory(customer__merchant__name="Harbor Supply Co.")


@pytest.fixture
def pages(access):
    customer = access.customer
    bank = PaymentMethodFactory(customer=customer, bank=True)
    payment = make_payment(customer, method=bank, invoices=[InvoiceFactory(customer=customer)])
    invoice = InvoiceFactory(customer=customer)
    names = ("invoices", "payments", "methods", "settings", "security", "sessions")
    return [
        *(reverse(f"portal:{name}") for name in names),
        reverse("portal:invoice", args=[invoice.id]),
        reverse("portal:payment", args=[payment.id]),
        reverse("portal:method", args=[bank.id]),
    ]


def signed_in(access, language: str = "") -> Client:
    access.user.language = language
    access.user.save()
    client = Client()
    client.force_login(access.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_name_without_a_gap_does_not_stick_out(access, pages):
    access.customer.company_name = "W" * 200
    access.customer.save()
    PortalAccessFactory(user=access.user)

    def visit(tab):
        found = {}
        for page in [*pages, reverse("portal:accounts")]:
            tab.page.goto(HOST + page, wait_until="load")
            found[page] = tab.page.evaluate("document.documentElement.scrollWidth")
        return found

    assert set(browse(signed_in(access), visit, width=360).values()) == {360}


@pytest.mark.parametrize(("width", "language"), [(360, HEBREW), (1200, ARABIC)])
def test_pages_are_mirrored_and_nothing_sticks_out(access, pages, width, language, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, language]

    def visit(tab):
        found = {}
        for page in pages:
            tab.page.goto(HOST + page, wait_until="load")
            brand, problems = tab.page.evaluate(BRAND), tab.problems()
            if problems or brand < 0.5:
                found[page] = (brand, problems)
        return found

    assert browse(signed_in(access, language[0]), visit, width=width) == {}


@pytest.mark.parametrize("width", [1200, 360])
def test_nothing_moves_while_a_page_loads(access, pages, width):
    def visit(tab):
        moved = {}
        for page in pages:
            tab.page.goto(HOST + page, wait_until="load")
            shift = tab.page.evaluate(SHIFTS)
            if shift > 0.001:
                moved[page] = shift
        return moved

    assert browse(signed_in(access), visit, width=width) == {}


def test_a_page_behind_a_mail_speaks_the_language_of_the_mail(access, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, HEBREW]
    access.customer.language = "he"
    access.customer.save()
    request = request_for(InvoiceFactory(customer=access.customer))
    page = Client().get(
        reverse("portal:pay", args=[payment_token(request.id, CARD, NOW)]), headers={"Accept-Language": "es"}
    )

    assert '<html lang="he" dir="rtl">' in page.text
    assert page["Content-Language"] == "he"
