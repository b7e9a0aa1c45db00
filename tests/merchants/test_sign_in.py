"""Sign-in: by invitation, limited in its tries, and kind about forgotten passwords."""

from typing import Any

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from payorcrm.merchants.forgotten_password import answer_forgotten_password
from tests.factories.models import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD):
    return client.post(reverse("account_login"), {"login": email, "password": password})


def forget(client: Client, email: str, **more: Any) -> None:
    """Ask for a new password, and let the job answer."""
    client.post(reverse("account_reset_password"), {"email": email}, **more)
    asked = ProcrastinateJob.objects.filter(task_name__endswith="answer_forgotten_password").latest("id")
    answer_forgotten_password(**asked.args)


def test_a_person_signs_in_with_the_address_in_any_case(client):
    user = UserFactory(email="dana@harbor.example")

    response = sign_in(client, "Dana@Harbor.example")

    assert response["Location"] == "/home/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_wrong_password_says_nothing_about_the_address(client):
    user = UserFactory()

    known = sign_in(client, user.email, "wrong").context["form"].non_field_errors()
    unknown = sign_in(client, "nobody@mail.example", "wrong").context["form"].non_field_errors()

    assert list(known) == list(unknown)
    assert "not correct" in known[0]


def test_nobody_registers_themselves(client):
    response = client.get(reverse("account_signup"))

    assert "Sign-ins are by invitation" in response.text


def test_many_wrong_passwords_are_stopped(client):
    user = UserFactory()

    texts = [sign_in(client, user.email, "wrong").text for _ in range(21)]

    assert "Too many" in texts[-1]
    assert not any("Too many" in text for text in texts[:10])


def test_signing_out_takes_a_press(client):
    client.force_login(UserFactory(), backend="allauth.account.auth_backends.AuthenticationBackend")

    asked = client.get(reverse("account_logout"))
    assert "Sign out?" in asked.text
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))

    assert "_auth_user_id" not in client.session


def test_a_password_is_changed_by_its_owner(client):
    user = UserFactory()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    typed = {"oldpassword": PASSWORD, "password1": "a new battery staple", "password2": "a new battery staple"}

    page = client.get(reverse("account_change_password"))
    client.post(reverse("account_change_password"), typed)

    user.refresh_from_db()
    assert f'action="{reverse("account_change_password")}"' in page.text
    assert "Cancel" in page.text
    assert user.check_password("a new battery staple")


def test_a_forgotten_password_is_chosen_anew_with_the_key_of_the_mail(client):
    user = UserFactory()
    key = default_token_generator.make_token(user)
    link = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])

    page = client.get(link, follow=True)
    client.post(page.context["action_url"], {"password1": "a new battery staple", "password2": "a new battery staple"})

    user.refresh_from_db()
    assert f'action="{page.context["action_url"]}"' in page.text
    assert user.check_password("a new battery staple")
    assert "no longer valid" in client.get(link, follow=True).text


@pytest.mark.parametrize("path", ["/account/email/", "/account/confirm-email/x/"])
def test_pages_that_change_who_one_is_do_not_exist(client, path):
    user = UserFactory()
    client.force_login(user)

    answers = {client.get(path).status_code, client.post(path, {"action_add": "", "email": "a@b.example"}).status_code}

    user.refresh_from_db()
    assert answers == {404}
    assert user.email


def test_reset_mail_leads_to_the_configured_address_whatever_the_host_header_says(client, mailoutbox, settings):
    user = UserFactory()

    forget(client, user.email.upper(), headers={"Host": "localhost:6666"})

    assert mailoutbox[0].to == [user.email]
    assert f"{settings.PUBLIC_URL}/account/password/reset/key/" in mailoutbox[0].body
    assert ":6666" not in mailoutbox[0].body


def test_who_forgot_a_password_is_found_by_a_job_so_that_no_time_tells_who_has_a_sign_in(client, mailoutbox):
    user = UserFactory()

    with CaptureQueriesContext(connection) as for_known:
        known = client.post(reverse("account_reset_password"), {"email": user.email})
    with CaptureQueriesContext(connection) as for_unknown:
        unknown = client.post(reverse("account_reset_password"), {"email": "nobody@harbor.example"})
    mails_at_once = len(mailoutbox)
    forget(client, "nobody@harbor.example")

    assert known["Location"] == unknown["Location"]
    assert len(for_known) == len(for_unknown)
    assert not any("core_user" in query["sql"] for query in for_known)
    assert mails_at_once == 0
    assert mailoutbox == []
