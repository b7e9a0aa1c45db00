"""The default template, saving, and previews."""

import pytest

from payorcrm.reminders.fields import FieldMisplaced, UnknownField
from payorcrm.reminders.models import ReminderTemplate
from payorcrm.reminders.preview_template import preview_template
from payorcrm.reminders.templates import (
    DEFAULT_BODY,
    NameTaken,
    NothingWritten,
    clean_body,
    save_template,
    template_for,
)
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, MerchantFactory, PaymentMethodFactory, usd

pytestmark = pytest.mark.django_db


def test_every_merchant_has_a_default_template_made_once() -> None:
    merchant = MerchantFactory()

    first, second = template_for(merchant), template_for(merchant)

    assert first == second
    assert first.is_default
    assert "{{payment_buttons}}" in first.body


def test_the_default_template_survives_its_own_checks() -> None:
    assert clean_body(DEFAULT_BODY) == DEFAULT_BODY


def test_a_saved_template_is_clean() -> None:
    template = template_for(MerchantFactory())

    save_template(
        template,
        subject=" Please\n pay {{total_invoice_amount}} ",
        body="<p onclick=x>Hi</p><script>x</script>",
        name=" Firm ",
    )

    template.refresh_from_db()
    assert (template.subject, template.body, template.name) == (
        "Please pay {{total_invoice_amount}}",
        "<p>Hi</p>",
        "Firm",
    )


@pytest.mark.parametrize(
    ("subject", "body", "refusal"),
    [
        ("Hi", "{{first_nam}}", UnknownField),
        ("{{first_nam}}", "Hi", UnknownField),
        ("{{payment_buttons}}", "Hi", FieldMisplaced),
        ("Hi", '<a href="{{login_register}}">x</a>', FieldMisplaced),
        (" ", "Hi", NothingWritten),
        ("Hi", "<script>x</script>", NothingWritten),
    ],
)
def test_a_template_with_a_mistake_is_not_saved(subject: str, body: str, refusal: type[Exception]) -> None:
    template = template_for(MerchantFactory())

    with pytest.raises(refusal):
        save_template(template, subject=subject, body=body, name="New")

    template.refresh_from_db()
    assert template.body == DEFAULT_BODY


def test_two_templates_of_a_merchant_cannot_share_a_name() -> None:
    default = template_for(MerchantFactory())
    other = ReminderTemplate(merchant=default.merchant)

    with pytest.raises(NameTaken):
        save_template(other, subject="x", body="x", name=default.name)


def test_a_preview_shows_the_customers_own_invoices_and_methods_and_stores_nothing() -> None:
    customer = CustomerFactory(company_name="Acme & Co.")
    InvoiceFactory(customer=customer, number="INV-77", amount=usd("120.00"))
    PaymentMethodFactory(customer=customer)
    template = template_for(customer.merchant)

    html = preview_template(
        merchant=customer.merchant, customer=customer, subject=template.subject, body=template.body, now=NOW
    )

    assert "Acme &amp; Co." in html
    assert "INV-77" in html
    assert "$120.00 is past due" in html
    assert "Pay $120.00 with card" in html
    assert "Hello Jo," in html


def test_a_preview_says_where_a_picture_of_another_server_will_be(settings) -> None:
    customer = CustomerFactory()
    body = (
        '<p><img src="https://pictures.example/a.png" alt="Our &quot;shop&quot;" width="240" height="90">'
        f'<img src="{settings.PUBLIC_URL}/a.png" alt="Ours">{{{{payment_buttons}}}}</p>'
    )

    html = preview_template(merchant=customer.merchant, customer=customer, subject="x", body=body, now=NOW)

    assert "pictures.example" not in html
    assert "width:240px;min-height:90px;" in html
    assert "“Our &quot;shop&quot;”, a picture from another server: shown in the mail" in html
    assert f'src="{settings.PUBLIC_URL}/a.png"' in html


def test_a_preview_of_a_customer_who_owes_nothing_shows_invented_invoices() -> None:
    customer = CustomerFactory()

    html = preview_template(
        merchant=customer.merchant, customer=customer, subject="x", body="{{invoice_list}}", now=NOW
    )

    assert "43250" in html
    assert "$1,150.00" in html
