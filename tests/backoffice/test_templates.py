"""The editor of reminders: unknown fields are refused by name, and the preview is a real mail in a closed frame."""

import pytest
from django.urls import reverse

from payorcrm.merchants.models import Role
from payorcrm.reminders.models import ReminderTemplate
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import MerchantFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db
FORM = {"name": "Firm", "subject": "You owe {{total_invoice_amount}}", "body": "<p>Pay.</p>{{payment_buttons}}"}


def save(shop, role=Role.COLLECTOR, **changes):
    place = reverse("backoffice:template", args=[shop.merchant.slug, shop.template.id])
    response = client_of(shop.merchant, role).post(place, FORM | changes, follow=True)
    shop.template.refresh_from_db()
    return response


def test_a_collector_changes_the_text():
    shop = make_shop()

    response = save(shop)

    assert "The template is saved." in response.text
    assert (shop.template.name, shop.template.subject) == ("Firm", "You owe {{total_invoice_amount}}")


def test_an_unknown_field_is_refused_with_the_nearest_known_one():
    shop = make_shop()

    response = save(shop, body="<p>Hello {{frist_name}}</p>")

    assert "frist_name" in response.text
    assert "Did you mean {{first_name}}?" in response.text
    assert "Hello {{frist_name}}" in response.text
    assert "frist_name" not in shop.template.body


def test_there_is_a_template_from_the_start():
    merchant = MerchantFactory()

    text = client_of(merchant).get(reverse("backoffice:templates", args=[merchant.slug])).text

    assert ReminderTemplate.objects.get(merchant=merchant).name in text


def test_the_menu_offers_every_field():
    shop = make_shop()

    text = (
        client_of(shop.merchant).get(reverse("backoffice:template", args=[shop.merchant.slug, shop.template.id])).text
    )

    for name in (
        "first_name",
        "last_name",
        "customer_company_name",
        "invoice_list",
        "total_invoice_amount",
        "payment_buttons",
    ):
        assert f'data-insert="{{{{{name}}}}}"' in text


def preview(shop, **changes):
    place = reverse("backoffice:template_preview", args=[shop.merchant.slug, shop.template.id])
    return client_of(shop.merchant).post(place, FORM | {"customer": str(shop.customer.id)} | changes)


def test_the_preview_shows_a_real_customers_mail_and_lets_nothing_run():
    shop = make_shop()
    PaymentMethodFactory(customer=shop.customer)

    response = preview(shop)

    assert "with card ••••" in response.text
    assert "0027" in response.text
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "script-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    shop.template.refresh_from_db()
    assert shop.template.name == "Friendly"


def test_a_preview_of_a_mistake_says_what_is_wrong():
    response = preview(make_shop(), body="{{nothing_known}}")

    assert response.status_code == 200
    assert "nothing_known" in response.text


@pytest.mark.parametrize("body", ["x" * 50_001, "a\0b", "{{" * 25_001, "<b>" * 12_000, "{{first_name", "<![x[y]]>"])
def test_a_preview_refuses_what_cannot_be_saved(body):
    shop = make_shop()

    response = preview(shop, body=body)

    assert response.status_code == 200
    assert "invoice" not in response.text.lower()
    assert save(shop, body=body).status_code == 200
    assert shop.template.body != body


def test_a_template_without_a_name_can_be_previewed():
    assert "Pay." in preview(make_shop(), name="").text
