"""The outbox: what failed stands out and can be tried again."""

import pytest
from django.urls import reverse

from payorcrm.mail.models import MailState
from tests.backoffice.rows import client_of, make_mail, make_shop

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
