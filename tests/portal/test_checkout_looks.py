"""The pages of paying in the portal in a real browser: axe, narrow and light, wide and dark."""

import pytest
from django.urls import reverse

from payorcrm.core.money import Money
from payorcrm.payment_methods.models import Verification
from payorcrm.payments.models import Payment, PaymentState
from payorcrm.payments.request_payment import request_all_unpaid
from payorcrm.payments.reserve import reserve
from tests.factories.browsing import HOST, browse
from tests.factories.models import (
    NOW,
    CustomerFactory,
    GatewayAccountFactory,
    InvoiceFactory,
    MerchantFactory,
    PaymentMethodFactory,
    PortalAccessFactory,
)
from tests.payments.kit import order_for

WAYS_TO_LOOK = [(360, "light"), (1280, "dark")]


@pytest.fixture
def access(db, client):
    merchant = MerchantFactory(allows_part_payments=True)
    GatewayAccountFactory(merchant=merchant)
    access = PortalAccessFactory(customer=CustomerFactory(merchant=merchant, company_name="Überlang & Söhne " * 5))
    client.force_login(access.user)
    return access


@pytest.fixture
def asked(access):
    """A request of twelve invoices, one of them paid in part, and every kind of method."""
    customer = access.customer
    card = PaymentMethodFactory(customer=customer, is_default=True)
    PaymentMethodFactory(customer=customer, expiry_year=2020)
    PaymentMethodFactory(customer=customer, bank=True, last4="1111")
    PaymentMethodFactory(customer=customer, bank=True, verification=Verification.PENDING)
    rows = [InvoiceFactory(customer=customer, number=f"2026-{number}-" + "9" * 20) for number in range(12)]
    made = request_all_unpaid(customer=customer, user=access.user, now=NOW)
    rows[0].balance = 5_000
    reserve(order=order_for(card, rows[0]), now=NOW)
    return made


@pytest.mark.parametrize(("width", "scheme"), WAYS_TO_LOOK)
def test_pages_are_accessible_narrow_and_wide_light_and_dark(client, access, asked, width, scheme):
    card, account = access.customer.payment_methods.exclude(expiry_year=2020).order_by("id")[:2]
    entered = PaymentMethodFactory(customer=access.customer, bank=True, saved_at=None)
    waiting = access.customer.payment_methods.get(verification=Verification.PENDING)
    type(entered).objects.filter(id=entered.id).update(created_at="2100-01-01T00:00:00Z")
    page = f"/portal/pay/{asked.id}/"

    def look(tab):
        for address in (
            f"{page}?with={card.id}",
            f"{page}?with={account.id}",
            f"{page}invoices/",
            f"{page}review/{entered.id}/",
            f"{page}verify/{waiting.id}/",
        ):
            tab.page.goto(HOST + address)
            if tab.page.locator("details").count():
                tab.page.locator("summary").last.click()
            yield from ((address, problem) for problem in tab.problems())

    assert browse(client, lambda tab: list(look(tab)), width=width, scheme=scheme) == []


@pytest.mark.parametrize(("width", "scheme"), WAYS_TO_LOOK)
def test_results_are_accessible_in_every_state(client, access, asked, width, scheme):
    payment = Payment.objects.get()
    Payment.objects.update(request=asked)

    def look(tab):
        for state in PaymentState:
            return_code = "R01" if state == PaymentState.RETURNED else ""
            tab.in_test(lambda changed={"state": state, "return_code": return_code}: Payment.objects.update(**changed))
            tab.page.goto(HOST + reverse("portal:payment_result", args=[payment.id]))
            yield from ((state, problem) for problem in tab.problems())

    assert browse(client, lambda tab: list(look(tab)), width=width, scheme=scheme) == []


def test_choosing_a_currency_is_accessible(client, access):
    InvoiceFactory(customer=access.customer)
    InvoiceFactory(customer=access.customer, amount=Money(5_000, "EUR"))
    token = client.get(reverse("portal:payments")) and client.cookies["csrf"].value

    def look(tab):
        tab.page.goto(HOST + reverse("portal:payments"))
        tab.page.evaluate(
            """([address, token]) => {
                const form = document.createElement("form");
                form.method = "post"; form.action = address;
                for (const [name, value] of [["all", "unpaid"], ["csrfmiddlewaretoken", token]]) {
                    const field = document.createElement("input");
                    field.name = name; field.value = value; form.append(field);
                }
                document.body.append(form); form.submit();
            }""",
            [reverse("portal:basket"), token],
        )
        tab.page.get_by_role("heading", name="One currency at a time").wait_for()
        return [problem for problem in tab.problems() if "status of 422" not in problem]

    assert browse(client, look, width=360) == []
