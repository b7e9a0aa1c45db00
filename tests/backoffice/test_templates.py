"""The editor of reminders: unknown fields are refused by name, and the preview is a real mail in a closed frame."""

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Role
from payorcrm.reminders.models import ReminderTemplate
from payorcrm.reminders.send import send_reminders
from payorcrm.reminders.templates import start_template
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import MerchantFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db
LIST_QUERIES = 8
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
    assert "Please mend what is listed below the text." in response.text
    assert "Line 1" not in response.text
    assert "Did you mean “First Name”" in response.text
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


def test_a_preview_of_a_mistake_leads_to_the_list_of_what_is_wrong():
    response = preview(make_shop(), body="{{nothing_known}}")

    assert response.status_code == 200
    assert "Please mend what is listed below the text." in response.text


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


def page(shop, name="template", role=Role.COLLECTOR, **query):
    return client_of(shop.merchant, role).get(
        reverse(f"backoffice:{name}", args=[shop.merchant.slug, shop.template.id]), query
    )


def press(shop, action, /, **form):
    place = reverse(f"backoffice:{action}", args=[shop.merchant.slug, shop.template.id])
    return client_of(shop.merchant, Role.COLLECTOR).post(place, form, follow=True)


def test_the_preview_of_the_dark_shows_what_mail_programs_show_then():
    shop = make_shop()

    light, dark = preview(shop).text, preview(shop, dark="yes").text

    assert "@media not all" in light
    assert "@media all" in dark
    assert 'content="dark"' in dark
    assert "prefers-color-scheme" not in light + dark


def test_a_merchant_without_customers_previews_an_invented_one():
    assert "Hello Jo" in preview(make_shop(), customer="", body="<p>Hello {{first_name}}</p>").text


def test_a_save_with_problems_says_all_of_them_and_keeps_the_text():
    shop = make_shop()

    response = save(shop, body='<p>Mine <a href="x">here</a></p><p style="color:#eee">Pale</p>')

    assert "The link “here” leads to “x”" in response.text
    assert "The text “Pale” is hard to read" in response.text
    assert "Mine" in response.text
    assert "Mine" not in shop.template.body


def test_a_save_warns_of_missing_payment_links():
    response = save(make_shop(), body="<p>Hello</p>")

    assert "The template is saved." in response.text
    assert "There are no payment links" in response.text


def test_the_check_answers_while_one_types():
    response = press(make_shop(), "template_check", subject="Hi", body="<p>{{frist_name}}</p>")

    assert "Did you mean “First Name”" in response.text
    assert "<html" not in response.text


def test_a_text_saved_by_two_people_is_saved_by_the_second_only_knowingly():
    shop = make_shop()
    save(shop, body="<p>Theirs</p>", based_on="1")

    response = save(shop, body="<p>Mine</p>", based_on="1")

    assert "saved version 2 while you were writing" in response.text
    assert 'value="2"' in response.text
    assert shop.template.body == "<p>Theirs</p>"
    save(shop, body="<p>Mine</p>", based_on="2")
    assert shop.template.body == "<p>Mine</p>"


def test_a_language_begins_with_our_translation_and_the_list_says_what_is_written():
    shop = make_shop()
    merchant, template = shop.merchant, start_template(merchant=shop.merchant, start="friendly", saved_by=None)
    place = reverse("backoffice:template", args=[merchant.slug, template.id])

    opened = client_of(merchant).get(place, {"language": "es"}).text
    save(shop, language="es", body="<p>Pague</p>{{payment_buttons}}")
    listed = client_of(merchant).get(reverse("backoffice:templates", args=[merchant.slug])).text

    assert "Hola" in opened
    assert "Español <span" in listed
    assert shop.template.variants["es"]["body"] == "<p>Pague</p>{{payment_buttons}}"
    assert "First" not in shop.template.body


def test_a_language_that_there_is_not_is_not_found():
    assert page(make_shop(), language="xx").status_code == 404


def test_a_test_goes_to_oneself_and_the_page_keeps_what_is_not_saved():
    shop = make_shop()

    response = press(shop, "template_test", **FORM | {"body": "<p>Unsaved</p>"}, customer=str(shop.customer.id))

    assert "A test is on its way to" in response.text
    assert "Unsaved" in response.text
    assert Mail.objects.filter(kind="template_test", customer=None).count() == 1


def test_a_test_of_a_text_with_problems_says_so():
    response = press(make_shop(), "template_test", **FORM | {"body": '<p><a href="x">here</a></p>'})

    assert "No test was sent. The link “here”" in response.text
    assert not Mail.objects.filter(kind="template_test").exists()


def test_a_version_is_looked_at_and_used_again():
    shop = make_shop()
    first = shop.template.body
    save(shop)

    assert "Version 2" in page(shop, "template_versions").text
    assert "Hello {{first_name}}" in page(shop, "template_version", number="1").text
    assert page(shop, "template_version", number="9").status_code == 404
    assert page(shop, "template_version", number="x").status_code == 404
    response = press(shop, "template_restore", number="1")

    shop.template.refresh_from_db()
    assert shop.template.body == first
    assert "Version 1 is in use again." in response.text


def test_a_version_without_a_text_in_a_language_says_that_the_one_in_use_ends_with_it():
    shop = make_shop()
    save(shop, language="es", body="<p>Hola</p>")

    before, now = page(shop, "template_version", number="1").text, page(shop, "template_version", number="2").text

    assert "It has no text in Español of its own" in before
    assert "of its own" not in now
    assert page(shop, "template_versions").text.count("With a text in Español") == 1


def test_templates_are_made_copied_and_deleted():
    shop = make_shop()
    place = reverse("backoffice:template_new", args=[shop.merchant.slug])
    client_of(shop.merchant, Role.COLLECTOR).post(place, {"start": "final"})
    press(shop, "template_copy")

    names = set(ReminderTemplate.objects.filter(merchant=shop.merchant).values_list("name", flat=True))
    assert {"Final reminder", "Copy of Friendly", "Friendly"} <= names
    refused = press(shop, "template_delete")
    assert refused.status_code == 409
    assert "This is the default template." in refused.text


def test_the_page_needs_no_inline_script_and_widens_the_policy_for_its_frame_only():
    response = page(make_shop())

    assert "importmap" not in response.text
    policy = dict(each.strip().split(" ", 1) for each in response["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == "'self'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "'self'" in policy["frame-src"]


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_takes_as_many_queries_for_any_number_of_templates(count, django_assert_num_queries):
    shop = make_shop()
    for _ in range(count):
        start_template(merchant=shop.merchant, start="second", saved_by=None)
    client = client_of(shop.merchant)
    client.get(reverse("backoffice:templates", args=[shop.merchant.slug]))

    with django_assert_num_queries(LIST_QUERIES):
        client.get(reverse("backoffice:templates", args=[shop.merchant.slug]))


def test_a_mail_names_the_version_it_was_written_from():
    shop = make_shop()
    send_reminders(merchant=shop.merchant, now=now())
    save(shop)
    mails = reverse("backoffice:mails", args=[shop.merchant.slug])

    text = client_of(shop.merchant).get(mails).text

    assert "Firm, version 1" in text
    assert reverse("backoffice:template_version", args=[shop.merchant.slug, shop.template.id]) + "?number=1" in text
