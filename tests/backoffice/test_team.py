"""The team page: roles, invitations, and what a colleague sees who follows the link."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import now as present
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Role, Staff
from payorcrm.staff.join import join_link
from payorcrm.staff.models import AuditEntry, StaffInvitation
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import PASSWORD, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


def invite(shop, email="vera@mail.example", role=Role.VIEWER):
    client = client_of(shop.merchant)
    place = reverse("backoffice:team", args=[shop.merchant.slug])
    return client.post(place, {"email": email, "role": role}, follow=True)


def link_of(email):
    return join_link(StaffInvitation.objects.waiting().get(email=email), present()).replace("http://localhost:8000", "")


def test_an_owner_invites_and_the_log_says_whom():
    shop = make_shop()

    page = invite(shop)

    assert "An invitation is on its way to vera@mail.example" in page.text
    assert Mail.objects.get(kind="staff_invitation").to_address == "vera@mail.example"
    entry = AuditEntry.objects.get(merchant=shop.merchant)
    assert (entry.says, entry.about) == ("Invited a colleague", "vera@mail.example")


def test_who_is_new_chooses_a_password_and_is_in_and_looking_at_the_link_changes_nothing():
    shop = make_shop()
    invite(shop)
    link, visitor = link_of("vera@mail.example"), Client()

    shown = [visitor.get(link), visitor.head(link)]
    assert [page.status_code for page in shown] == [200, 200]
    assert shown[0]["Referrer-Policy"] == "no-referrer"
    weak = visitor.post(link, {"name": "Vera 🌊", "password": "vera"})
    joined = visitor.post(link, {"name": "Vera 🌊", "password": PASSWORD}, follow=True)

    assert "at least 10 characters" in weak.text
    assert joined.redirect_chain[-1][0] == reverse("backoffice:dashboard", args=[shop.merchant.slug])
    assert Staff.objects.get(user__email="vera@mail.example").role == Role.VIEWER
    assert visitor.post(link).status_code == 410


def test_who_has_an_account_signs_in_and_accepts_and_nobody_else_can():
    shop = make_shop()
    user, other = UserFactory(email="vera@mail.example"), UserFactory()
    invite(shop)
    link = link_of("vera@mail.example")

    assert f"/account/login/?next={link}" in Client().get(link).text
    assert Client().post(link, {"name": "X", "password": PASSWORD}).status_code == 200
    stranger, visitor = Client(), Client()
    stranger.force_login(other, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "Sign out and go on" in stranger.get(link).text
    assert stranger.post(link).status_code == 403
    visitor.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert not Staff.objects.filter(user=user).exists()

    assert visitor.post(link).status_code == 302

    assert Staff.objects.get(user=user).merchant == shop.merchant


def test_the_link_does_not_stand_in_for_the_second_factor_of_somebody_without_a_password():
    shop, elsewhere = make_shop(), StaffFactory(user__email="vera@mail.example")
    elsewhere.user.set_unusable_password()
    elsewhere.user.save()
    TOTP.activate(elsewhere.user, generate_totp_secret())
    invite(shop)
    link, visitor = link_of("vera@mail.example"), Client()

    assert f"/account/login/?next={link}" in visitor.get(link).text
    visitor.post(link, {"name": "Vera", "password": PASSWORD})

    assert "_auth_user_id" not in visitor.session
    assert not Staff.objects.filter(user=elsewhere.user, merchant=shop.merchant).exists()


def test_a_removed_colleague_is_out_at_the_next_click_and_the_log_keeps_the_name():
    shop = make_shop()
    colleague = StaffFactory(merchant=shop.merchant, role=Role.COLLECTOR, user__name="Cay")
    theirs = Client()
    theirs.force_login(colleague.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    dashboard = reverse("backoffice:dashboard", args=[shop.merchant.slug])
    assert theirs.get(dashboard).status_code == 200

    client_of(shop.merchant).post(reverse("backoffice:team_remove", args=[shop.merchant.slug, colleague.id]))

    assert theirs.get(dashboard).status_code == 404
    entry = AuditEntry.objects.get(merchant=shop.merchant)
    assert "Cay" in entry.about
    assert ["Role", "Collector", ""] in entry.changes


def test_a_changed_role_is_in_the_log_with_both_names_and_the_last_owner_is_told_why_not():
    shop = make_shop()
    client = client_of(shop.merchant)
    owner = shop.merchant.staff.get()
    colleague = StaffFactory(merchant=shop.merchant, role=Role.COLLECTOR)

    client.post(reverse("backoffice:team_member", args=[shop.merchant.slug, colleague.id]), {"role": "viewer"})
    refused = client.post(reverse("backoffice:team_member", args=[shop.merchant.slug, owner.id]), {"role": "viewer"})

    assert AuditEntry.objects.get(merchant=shop.merchant).changes == [["Role", "Collector", "Viewer"]]
    assert refused.status_code == 409
    assert "Make somebody else an owner first" in refused.text


def test_the_page_costs_the_same_for_one_colleague_and_for_thirty(django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    shop = make_shop()
    client = client_of(shop.merchant)
    place = reverse("backoffice:team", args=[shop.merchant.slug])
    client.get(place)
    with CaptureQueriesContext(connection) as one:
        client.get(place)
    StaffFactory.create_batch(30, merchant=shop.merchant, role=Role.VIEWER)
    StaffInvitation.objects.bulk_create(
        StaffInvitation(
            merchant=shop.merchant,
            email=f"{n}@x.example",
            role="viewer",
            mailed_at=present(),
            expires_at=present() - timedelta(days=1),
        )
        for n in range(30)
    )

    with django_assert_num_queries(len(one)):
        assert client.get(place).text.count("the link has ended") == 30
