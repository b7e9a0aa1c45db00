"""The export, and the page of one payment."""

import csv
import io

import pytest
from django.urls import reverse

from payorcrm.payments.models import PaymentState
from tests.backoffice.rows import client_of, make_payment, make_shop
from tests.factories.models import CustomerFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db


def exported(shop, query: str = "") -> list[dict[str, str]]:
    response = client_of(shop.merchant).get(reverse("backoffice:payments_export", args=[shop.merchant.slug]) + query)
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_export_has_the_rows_that_the_filters_show():
    shop = make_shop()
    declined = make_payment(shop.customer, state=PaymentState.DECLINED, decline_code="expired_card")

    assert {row["Reference"] for row in exported(shop)} == {shop.payment.reference, declined.reference}
    (row,) = exported(shop, "?state=declined")
    assert row["Amount"] == "120.00"
    assert row["Currency"] == "USD"
    assert row["Status"] == "Declined"
    assert row["Decline reason"] == "expired_card"
    assert row["Method"] == "Visa •••• 0027"


def test_a_customer_called_like_a_formula_stays_text():
    shop = make_shop()
    rogue = CustomerFactory(merchant=shop.merchant, company_name="=HYPERLINK(1)", number="@7")
    make_payment(rogue)

    row = next(row for row in exported(shop) if "HYPERLINK" in row["Customer"])

    assert row["Customer"] == "'=HYPERLINK(1)"
    assert row["Customer number"] == "'@7"


def test_the_export_of_no_payment_has_its_head():
    assert exported(make_shop(), "?search=zzz") == []


def page_of(payment) -> str:
    place = reverse("backoffice:payment", args=[payment.merchant.slug, payment.id])
    return client_of(payment.merchant).get(place).text


def test_a_returned_payment_says_why_and_what_follows():
    shop = make_shop()
    bank = PaymentMethodFactory(customer=shop.customer, bank=True)
    payment = make_payment(
        shop.customer, method=bank, state=PaymentState.RETURNED, return_code="R01", invoices=[shop.invoice]
    )

    text = page_of(payment)

    assert "The bank sent this payment back" in text
    assert "There was not enough money in the account. Its invoices are owed again." in text
    assert "<code>R01</code>" in text
    assert shop.invoice.number in text
    assert payment.gateway_reference in text


def test_a_payment_without_an_answer_says_that_nothing_is_charged_twice():
    payment = make_payment(make_shop().customer, state=PaymentState.SUBMITTING)

    assert "nothing is charged twice" in page_of(payment)


@pytest.mark.parametrize("state", PaymentState)
def test_every_state_has_a_page(state):
    facts = {"return_code": "R02"} if state == PaymentState.RETURNED else {}

    assert str(state.label) in page_of(make_payment(make_shop().customer, state=state, **facts))
