"""A second factor that an owner requires: nobody of the staff goes on without one, and who lost it is not lost."""

from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from django.urls import reverse

from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Role
from tests.backoffice.rows import make_shop
from tests.factories.models import PASSWORD, PortalAccessFactory, StaffFactory

pytestmark = pytest.mark.django_db


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def signed_in(user, secret: str = "") -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    if secret:
        client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    return client


def owner_with_app(shop):
    owner = StaffFactory(merchant=shop.merchant).user
    secret = generate_totp_secret()
    TOTP.activate(owner, secret)
    return signed_in(owner, secret)


def switch(client, shop, to="on"):
    place = reverse("backoffice:second_factor_switch", args=[shop.merchant.slug])
    response = client.post(place, {"to": to}, follow=True)
    shop.merchant.refresh_from_db()
    return response


def test_an_owner_without_one_cannot_require_it():
    shop = make_shop()
    client = signed_in(StaffFactory(merchant=shop.merchant).user)

    response = switch(client, shop)

    assert response.status_code == 409
    assert "Set up a second factor of your own first" in response.text
    assert not shop.merchant.requires_second_factor


@pytest.mark.django_db(transaction=True)
def test_staff_without_one_are_led_to_set_it_up_before_anything_else_and_then_go_on():
    shop = make_shop()
    client = signed_in(StaffFactory(merchant=shop.merchant, role=Role.COLLECTOR).user)
    switch(owner_with_app(shop), shop)
    place = reverse("backoffice:second_factor", args=[shop.merchant.slug])

    page = client.get(reverse("backoffice:customers", args=[shop.merchant.slug]), follow=True)
    fragment = client.get(reverse("backoffice:customers", args=[shop.merchant.slug]), headers={"HX-Request": "true"})
    noted = client.post(reverse("backoffice:note_write", args=[shop.merchant.slug, shop.customer.id]), {"text": "x"})

    assert page.redirect_chain == [(place, 302)]
    assert "Set up an app" in page.text
    assert (fragment["HX-Redirect"], noted["Location"]) == (place, place)
    assert shop.customer.notes.count() == 1

    asked = client.get(reverse("mfa_activate_totp"))
    secret = client.post(asked["Location"], {"password": PASSWORD}, follow=True).context["form"].secret
    client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})

    assert client.get(reverse("backoffice:customers", args=[shop.merchant.slug])).status_code == 200


def test_a_session_from_before_proves_the_factor_that_is_there_once():
    shop = make_shop()
    colleague = StaffFactory(merchant=shop.merchant, role=Role.VIEWER).user
    client = signed_in(colleague)
    secret = generate_totp_secret()
    TOTP.activate(colleague, secret)
    switch(owner_with_app(shop), shop)
    dashboard = reverse("backoffice:dashboard", args=[shop.merchant.slug])

    asked = client.get(dashboard, follow=True)
    assert "Enter a code of your app" in asked.text
    client.post(f"{reverse('mfa_reauthenticate')}?next={dashboard}", {"code": code_of(secret)})

    assert client.get(dashboard).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["mfa_deactivate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes", "mfa_download_recovery_codes"],
)
def test_a_password_alone_does_not_exchange_the_factor_that_is_required(name):
    shop = make_shop()
    colleague = StaffFactory(merchant=shop.merchant, role=Role.VIEWER).user
    client = signed_in(colleague)
    secret = generate_totp_secret()
    TOTP.activate(colleague, secret)
    RecoveryCodes.activate(colleague)
    switch(owner_with_app(shop), shop)
    place = reverse(name)

    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answers = [client.get(place), client.post(place)]
    client.post(f"{reverse('mfa_reauthenticate')}?next={place}", {"code": code_of(secret)})

    assert [unquote(answer["Location"]) for answer in answers] == [f"{reverse('mfa_reauthenticate')}?next={place}"] * 2
    assert Authenticator.objects.filter(user=colleague, type=Authenticator.Type.TOTP).exists()
    assert "security/again" not in client.get(place).get("Location", "")


def test_looking_at_the_portal_as_a_customer_ends_when_a_factor_becomes_required():
    shop = make_shop()
    client = signed_in(StaffFactory(merchant=shop.merchant, role=Role.COLLECTOR).user)
    client.post(reverse("backoffice:view_as", args=[shop.merchant.slug, shop.customer.id]))
    before = client.get(reverse("portal:payments")).status_code

    switch(owner_with_app(shop), shop)

    assert before == 200
    assert client.get(reverse("portal:payments")).status_code == 302


def test_a_password_alone_does_not_pass_by_a_passkey_where_one_is_required():
    shop = make_shop(requires_second_factor=True)
    colleague = StaffFactory(merchant=shop.merchant).user
    Authenticator.objects.create(user=colleague, type=Authenticator.Type.WEBAUTHN, data={"name": "x", "credential": {}})
    client = Client()

    answer = client.post(reverse("account_login"), {"login": colleague.email, "password": PASSWORD})

    assert answer["Location"] == reverse("mfa_authenticate")


def test_an_owner_resets_what_a_colleague_lost_and_the_colleague_is_told():
    shop = make_shop()
    colleague = StaffFactory(merchant=shop.merchant, role=Role.VIEWER)
    secret = generate_totp_secret()
    TOTP.activate(colleague.user, secret)
    theirs = signed_in(colleague.user, secret)
    owner = owner_with_app(shop)
    place = reverse("backoffice:team_reset", args=[shop.merchant.slug, colleague.id])

    response = owner.post(place, follow=True)

    assert "sets up a new second factor" in response.text
    assert not Authenticator.objects.filter(user=colleague.user).exists()
    assert Mail.objects.get(kind="second_factor_reset").to_address == colleague.user.email
    assert "/account/login/" in theirs.get(reverse("backoffice:dashboard", args=[shop.merchant.slug]))["Location"]


def test_an_owner_cannot_reset_what_opens_another_company_too():
    shop = make_shop()
    colleague = StaffFactory(merchant=shop.merchant, role=Role.VIEWER)
    TOTP.activate(colleague.user, generate_totp_secret())
    PortalAccessFactory(customer=make_shop().customer, user=colleague.user)

    response = owner_with_app(shop).post(reverse("backoffice:team_reset", args=[shop.merchant.slug, colleague.id]))

    assert response.status_code == 409
    assert Authenticator.objects.filter(user=colleague.user).exists()
