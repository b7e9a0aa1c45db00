"""Sign-in: by invitation, limited in its tries, and kind about forgotten passwords."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.models import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD):
    return client.post(reverse("account_login"), {"login": email, "password": password})


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

    texts = [sign_in(client, user.email, "wrong").text for _ in range(12)]

    assert "Too many" in texts[-1]


def test_signing_out_takes_a_press(client):
    client.force_login(UserFactory(), backend="allauth.account.auth_backends.AuthenticationBackend")

    asked = client.get(reverse("account_logout"))
    assert "Sign out?" in asked.text
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))

    assert "_auth_user_id" not in client.session
