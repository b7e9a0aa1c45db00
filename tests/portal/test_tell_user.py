"""Whoever changes how a person signs in cannot do it unseen."""

import re
from email import message_from_bytes, policy

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from payorcrm.core.crypto import decrypt
from payorcrm.core.language import speaking
from payorcrm.customers.password_link import password_link
from payorcrm.mail.models import Mail
from payorcrm.portal.tell_user import CHANGES, PASSWORD_RESET, tell_user
from tests.factories.models import PASSWORD, MerchantFactory, PortalAccessFactory, StaffFactory

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "a new battery staple"


@pytest.fixture(autouse=True)
def fresh_limits(settings):
    cache.clear()
    settings.EMAIL_BACKEND = "payorcrm.mail.backend.OutboxBackend"


def signed_in(address, login):
    browser = Client(headers={"User-Agent": FIREFOX})
    browser.get(address)
    browser.post(address, {"login": login, "password": PASSWORD})
    return browser


@pytest.fixture
def access():
    return PortalAccessFactory()


@pytest.fixture
def entrance(access):
    return reverse("portal:entrance", args=[access.merchant.slug])


def told():
    """Return recipient, subject and plain text of each mail, the oldest first."""
    mails = Mail.objects.order_by("id")
    raw = [message_from_bytes(decrypt(bytes(mail.sealed_message)), policy=policy.default) for mail in mails]
    texts = [mime.get_body(("plain",)).get_content() for mime in raw]
    return [(mail.to_address, mail.subject, text) for mail, text in zip(mails, texts, strict=True)]


def test_a_changed_password_is_told_with_the_browser_and_the_way_to_a_new_one(access, entrance, settings):
    settings.PUBLIC_URL = "https://pay.harbor.example"
    browser = signed_in(entrance, access.user.email)

    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    browser.post(reverse("account_change_password"), typed)

    ((to, subject, text),) = told()
    assert (to, subject) == (access.user.email, "Your password was changed")
    assert "Firefox on Windows" in text
    assert "127.0.0.1" in text
    assert f"https://pay.harbor.example/c/{access.merchant.slug}/password/" in text


def test_a_password_chosen_by_the_mail_of_the_portal_is_told(client, access):
    link = "/" + password_link(access.user, access.merchant).split("/", 3)[3]

    client.post(link, {"password1": NEW, "password2": NEW})

    access.user.refresh_from_db()
    assert access.user.check_password(NEW)
    assert [subject for _, subject, _ in told()] == ["Your password was changed"]


def test_a_password_chosen_by_the_mail_of_staff_is_told_with_their_own_way(client):
    staff = StaffFactory()
    client.post(reverse("account_reset_password"), {"email": staff.user.email})
    link = reset_link_of(staff.user)

    page = client.get(link, follow=True)
    client.post(page.context["action_url"], {"password1": NEW, "password2": NEW})

    ((to, subject, text),) = told()
    assert (to, subject) == (staff.user.email, "Your password was changed")
    assert text.strip().endswith(reverse("account_reset_password"))


def reset_link_of(user):
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])


@pytest.mark.django_db(transaction=True)
def test_new_codes_and_an_app_that_goes_are_told_one_by_one(access, entrance):
    browser = signed_in(entrance, access.user.email)
    TOTP.activate(access.user, SECRET)
    codes = RecoveryCodes.activate(access.user).get_unused_codes()
    browser.post(reverse("mfa_reauthenticate"), {"code": codes[0]})

    browser.post(reverse("mfa_generate_recovery_codes"))
    browser.post(reverse("mfa_deactivate_totp"))

    assert [subject for _, subject, _ in told()] == [
        "Your recovery codes were replaced",
        "The authenticator app was removed from your sign-in",
    ]


def test_a_merchant_who_does_not_know_the_user_is_not_where_the_mail_leads(access, entrance):
    browser = signed_in(entrance, access.user.email)
    browser.cookies[settings.ENTRANCE_COOKIE_NAME] = MerchantFactory().slug

    browser.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    ((_, _, text),) = told()
    assert text.strip().endswith(reverse("account_reset_password"))


def test_a_browser_without_a_name_is_not_named(access):
    tell_user(RequestFactory().get("/"), access.user, PASSWORD_RESET)

    ((_, _, text),) = told()
    assert "Your password was changed just now. It was done from the network address 127.0.0.1." in text


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_told_in_each_language(change, access):
    request = RequestFactory().get("/", headers={"User-Agent": FIREFOX})

    for language in ("en", "es"):
        with speaking(language):
            tell_user(request, access.user, change)

    (_, subject, text), (_, asunto, texto) = told()
    assert subject == CHANGES[change]
    assert re.search(rf"{re.escape(subject)} just now\. It was done with Firefox on Windows", text)
    assert asunto != subject
    assert asunto in texto
    assert "Firefox en Windows" in texto
