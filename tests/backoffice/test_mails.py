"""The outbox: what failed stands out and can be tried again."""

import pytest
from django.urls import reverse

from payorcrm.core.clock import now as present
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Role
from tests.backoffice.rows import client_of, make_mail, make_shop, make_stop
from tests.factories.models import CustomerFactory

pytestmark = pytest.mark.django_db


def test_failed_mails_are_counted_and_say_why():
    shop = make_shop()
    make_mail(shop.customer, state=MailState.FAILED, last_error="550 no such mailbox")

    text = client_of(shop.merchant).get(reverse("backoffice:mails", args=[shop.merchant.slug])).text

    assert "1 mail could not be sent" in text
    assert "550 no such mailbox" in text


@pytest.mark.parametrize("state", [MailState.FAILED, MailState.BOUNCED])
def test_a_failed_mail_is_queued_again(state):
    shop = make_shop()
    mail = make_mail(shop.customer, state=state, attempt_count=5)

    place = reverse("backoffice:mail_again", args=[shop.merchant.slug, mail.id])
    response = client_of(shop.merchant).post(place, follow=True)

    mail.refresh_from_db()
    assert mail.state == MailState.QUEUED
    assert "is queued again" in response.text


def test_a_sent_mail_is_not_sent_again():
    shop = make_shop()

    place = reverse("backoffice:mail_again", args=[shop.merchant.slug, shop.mail.id])
    response = client_of(shop.merchant).post(place)

    shop.mail.refresh_from_db()
    assert response.status_code == 409
    assert shop.mail.state == MailState.SENT


def test_marks_are_shown_and_called_unreliable_everywhere():
    shop = make_shop()
    marks = {"delivered_at": present(), "opened_at": present(), "clicked_at": present(), "complained_at": present()}
    Mail.objects.filter(id=shop.mail.id).update(**marks)
    client, slug = client_of(shop.merchant), shop.merchant.slug

    pages = [reverse("backoffice:mails", args=[slug]), reverse("backoffice:customer", args=[slug, shop.customer.id])]

    for page in pages:
        text = client.get(page).text
        assert "perhaps by a program" in text
        assert "Delivered" in text
        assert "Reported as spam" in text
        assert "They are unreliable" in text


def test_without_marks_there_is_no_warning_of_them():
    shop = make_shop()

    text = client_of(shop.merchant).get(reverse("backoffice:mails", args=[shop.merchant.slug])).text

    assert "They are unreliable" not in text


def test_a_stopped_address_is_shown_where_it_matters_and_lifted_there():
    shop = make_shop()
    address = shop.customer.contacts.get(is_primary=True).email
    stop = make_stop(shop.merchant, address.lower())
    Mail.objects.filter(id=shop.mail.id).update(to_address=address)
    client, slug = client_of(shop.merchant, Role.COLLECTOR), shop.merchant.slug
    customer = reverse("backoffice:customer", args=[slug, shop.customer.id])
    contact = reverse("backoffice:customer_contact", args=[slug, shop.customer.id])

    texts = [client.get(page).text for page in (customer, contact)]
    listed = client.get(reverse("backoffice:mails", args=[slug])).text
    lifted = client.post(
        reverse("backoffice:stop_lift", args=[slug, stop.id]), {"customer": str(shop.customer.id)}, follow=True
    )

    assert all(f"No reminder, statement or invitation goes to {address.lower()}" in text for text in texts)
    assert "No reminders go there any more" in listed
    assert lifted.redirect_chain == [(customer, 302)]
    assert f"Mails go to {address.lower()} again" in lifted.text
    assert "No reminder, statement or invitation" not in lifted.text


def test_a_mail_of_a_run_to_a_stopped_address_is_not_tried_again():
    shop = make_shop()
    mail = make_mail(shop.customer, state=MailState.BOUNCED, is_bulk=True)
    make_stop(shop.merchant, mail.to_address)

    place = reverse("backoffice:mail_again", args=[shop.merchant.slug, mail.id])
    response = client_of(shop.merchant).post(place)

    mail.refresh_from_db()
    assert response.status_code == 409
    assert "allow mails to it there" in response.text
    assert mail.state == MailState.BOUNCED


def test_customers_whose_mail_comes_back_are_found():
    shop = make_shop()
    other = CustomerFactory(merchant=shop.merchant)
    make_stop(shop.merchant, other.contacts.get(is_primary=True).email.lower())
    make_stop(make_shop().merchant, shop.customer.contacts.get(is_primary=True).email.lower())

    page = client_of(shop.merchant).get(
        reverse("backoffice:customers", args=[shop.merchant.slug]), {"reach": "stopped"}
    )

    assert [row[0] for row in page.context["rows"]] == [other]
