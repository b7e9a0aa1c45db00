"""The way into the portal: the branded entrance, the first sign-in, forgotten passwords, registration."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.customers.invitation_password import password_of
from payorcrm.customers.invite import invitation_link, invite_customer
from payorcrm.customers.models import AccessAsk, Invitation, PortalAccess
from payorcrm.customers.password_link import password_link
from payorcrm.customers.portal_access import remove_access
from payorcrm.mail.models import Mail, MailState
from tests.factories.models import NOW, PASSWORD, CustomerFactory, MerchantFactory, PortalAccessFactory, StaffFactory

pytestmark = pytest.mark.django_db
OWN_PASSWORD = "seven green bicycles"


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def access():
    return PortalAccessFactory()


@pytest.fixture
def invitation():
    return invite_customer(customer=CustomerFactory(), invited_by=None, now=now())


def entrance(access):
    return reverse("portal:entrance", args=[access.merchant.slug])


def sign_in(client, access, password=PASSWORD, **more):
    return client.post(entrance(access), {"login": access.user.email, "password": password} | more)


def chosen(password=OWN_PASSWORD):
    return {"password1": password, "password2": password}


def path_of(address):
    return "/" + address.split("/", 3)[3]


def is_signed_in(client):
    return "_auth_user_id" in client.session


def test_entrance_wears_the_merchants_name(client, access):
    page = client.get(entrance(access))

    assert f"Sign in to {access.merchant.name}" in page.text
    assert reverse("portal:forgot_password", args=[access.merchant.slug]) in page.text
    assert reverse("portal:register", args=[access.merchant.slug]) in page.text
    assert "Google" not in page.text
    assert client.get("/c/no-such-merchant/").status_code == 404


def test_signing_in_leads_to_the_customer_of_this_merchant(client, access):
    other = PortalAccessFactory(user=access.user, customer=CustomerFactory(merchant__name="AAA Supply"))

    answer = client.post(entrance(access), {"login": access.user.email, "password": PASSWORD}, follow=True)

    assert answer.redirect_chain[-1][0].startswith("/portal/")
    assert access.customer.company_name in answer.text
    access.refresh_from_db()
    other.refresh_from_db()
    assert access.last_used_at is not None
    assert other.last_used_at is None


def test_whoever_is_signed_in_goes_on(client, access):
    client.force_login(access.user)

    assert client.get(entrance(access)).url.startswith("/portal/")


def test_user_of_another_merchant_is_not_let_into_this_one(client, access):
    elsewhere = MerchantFactory()
    client.force_login(access.user)

    answer = client.get(reverse("portal:entrance", args=[elsewhere.slug]), follow=True)

    assert "not connected to a customer of" in answer.text
    assert access.customer.company_name in answer.text


def test_wrong_password_says_the_same_for_a_stranger(client, access):
    known = sign_in(client, access, "wrong password").text.split("<form")[1]
    unknown = client.post(entrance(access), {"login": "nobody@mail.example", "password": "wrong password"}).text

    assert "not correct" in known
    assert "not correct" in unknown
    assert not is_signed_in(client)


def test_a_page_behind_the_sign_in_leads_back_to_the_entrance_used_last(client, access):
    client.get(entrance(access))

    to_entrance = client.get("/portal/payments/?state=declined").url
    page = client.post(to_entrance, {"login": access.user.email, "password": PASSWORD})

    assert to_entrance.startswith(entrance(access))
    assert client.get(page.url).url == "/portal/payments/?state=declined"


def test_next_never_leads_elsewhere(client, access):
    page = sign_in(client, access, next="https://evil.example/portal/")

    assert page.url == entrance(access)
    assert client.get(entrance(access), {"next": "//evil.example/portal/"}).url.startswith("/portal/")


def test_invitations_password_opens_nothing_but_choosing_ones_own(client, invitation):
    access = invitation.access

    page = sign_in(client, access, password_of(invitation))
    first = client.get(page.url, follow=True)

    assert is_signed_in(client)
    assert first.redirect_chain[-1][0] == reverse("portal:choose_password")
    assert access.customer.company_name in first.text
    assert access.user.email in first.text
    for name in ("payments", "accounts", "sessions", "security"):
        assert client.get(reverse(f"portal:{name}")).url == reverse("portal:choose_password")
    assert client.post(reverse("portal:switch_customer")).url == reverse("portal:choose_password")


def test_after_choosing_a_password_the_portal_is_open_and_the_old_one_is_dead(client, invitation):
    access, generated = invitation.access, password_of(invitation)
    sign_in(client, access, generated)

    client.post(reverse("portal:choose_password"), chosen())
    shown = client.get(reverse("portal:payments"))
    client.logout()
    again = sign_in(client, access, generated)

    assert shown.status_code == 200
    assert again.status_code == 200
    assert not is_signed_in(client)
    assert sign_in(client, access, OWN_PASSWORD).status_code == 302


@pytest.mark.parametrize("typed", ["short", "password123"])
def test_weak_password_is_refused_with_the_reason(client, invitation, typed):
    sign_in(client, invitation.access, password_of(invitation))

    page = client.post(reverse("portal:choose_password"), chosen(typed))

    assert page.context["form"].errors["password1"]
    assert client.get(reverse("portal:payments")).url == reverse("portal:choose_password")


def test_session_of_a_generated_password_ends_with_a_newer_invitation(client, invitation):
    sign_in(client, invitation.access, password_of(invitation))
    Mail.objects.update(state=MailState.FAILED)
    invite_customer(customer=invitation.access.customer, invited_by=None, now=now())

    answer = client.post(reverse("portal:choose_password"), chosen(), follow=True)

    assert "This invitation has ended." in answer.text
    assert not is_signed_in(client)
    invitation.access.user.refresh_from_db()
    assert not invitation.access.user.has_usable_password()


@pytest.mark.parametrize(("model", "change"), [(Invitation, {"expires_at": NOW}), (PortalAccess, {"removed_at": NOW})])
def test_session_of_a_generated_password_ends_with_its_invitation(client, invitation, model, change):
    sign_in(client, invitation.access, password_of(invitation))
    model.objects.update(**change)

    client.get(reverse("portal:choose_password"))

    assert not is_signed_in(client)


def test_generated_password_cannot_be_kept(client, invitation):
    sign_in(client, invitation.access, password_of(invitation))

    page = client.post(reverse("portal:choose_password"), chosen(password_of(invitation)))

    assert "another password" in page.text


def test_staff_who_were_invited_as_customers_choose_first_too(client, invitation):
    staff = StaffFactory(user=invitation.access.user)
    sign_in(client, invitation.access, password_of(invitation))

    answer = client.get(reverse("backoffice:dashboard", args=[staff.merchant.slug]))

    assert answer.url == reverse("portal:choose_password")


def test_expired_invitations_password_does_not_sign_in(client, invitation):
    type(invitation).objects.update(expires_at=now())

    sign_in(client, invitation.access, password_of(invitation))

    assert not is_signed_in(client)


def test_button_of_the_invitation_shows_and_only_the_post_signs_in(client, invitation):
    link = path_of(invitation_link(invitation, now()))

    shown = client.get(link)
    before = is_signed_in(client)
    answer = client.post(link, chosen(), follow=True)

    assert invitation.access.customer.company_name in shown.text
    assert shown["Referrer-Policy"] == "no-referrer"
    assert not before
    assert is_signed_in(client)
    assert answer.redirect_chain[-1][0].startswith("/portal/")
    assert "You have a password already" in client.get(link).text


@pytest.mark.parametrize(("page", "status"), [("welcome", 404), ("new_password", 410)])
def test_made_up_links_open_nothing(client, access, page, status):
    link = reverse(f"portal:{page}", args=[access.merchant.slug, "A" * 48])

    assert {client.get(link).status_code, client.post(link, chosen()).status_code} == {status}
    assert not is_signed_in(client)


def test_cancelled_second_step_leads_back_to_the_entrance(client, access):
    client.get(entrance(access))

    assert client.post(reverse("account_logout")).url == entrance(access)


def test_expired_button_offers_a_fresh_mail(client, invitation):
    link = path_of(invitation_link(invitation, now()))
    type(invitation).objects.update(expires_at=now())

    page = client.get(link)

    assert page.status_code == 410
    assert reverse("portal:forgot_password", args=[invitation.merchant.slug]) in page.text
    assert client.post(link, chosen()).status_code == 410
    assert not is_signed_in(client)


def test_button_works_at_its_own_merchant_only(client, invitation):
    link = path_of(invitation_link(invitation, now()))

    answer = client.get(link.replace(invitation.merchant.slug, MerchantFactory().slug))

    assert answer.status_code == 404


def test_forgotten_password_costs_and_answers_the_same_whoever_asks(client, access, django_assert_num_queries):
    page = reverse("portal:forgot_password", args=[access.merchant.slug])
    answers, costs = [], []
    client.get(page)

    for email in (access.user.email, "nobody@mail.example"):
        with django_assert_num_queries(100, exact=False) as queries:
            answers.append(client.post(page, {"email": email}).text.split("<body")[1].replace(email, "…"))
        costs.append(len(queries))

    assert answers[0] == answers[1]
    assert costs[0] == costs[1]
    assert AccessAsk.objects.count() == 2


def test_registration_takes_an_invoice_number_and_says_nothing(client, access):
    page = reverse("portal:register", args=[access.merchant.slug])

    answer = client.post(page, {"email": "jo@acme.example", "invoice_number": "INV-1"})

    assert "Look into your inbox" in answer.text
    assert AccessAsk.objects.get().invoice_number == "INV-1"


def test_asking_again_and_again_is_stopped(client, access):
    page = reverse("portal:forgot_password", args=[access.merchant.slug])

    answers = [client.post(page, {"email": "jo@acme.example"}).status_code for _ in range(6)]

    assert answers == [200] * 5 + [429]


def test_link_of_the_mail_sets_a_password_once_and_ends_other_sessions(client, access):
    elsewhere = type(client)()
    sign_in(elsewhere, access)
    access.user.refresh_from_db()
    link = path_of(password_link(access.user, access.merchant))

    shown = client.get(link)
    client.post(link, chosen())

    assert access.user.email in shown.text
    assert shown["Referrer-Policy"] == "no-referrer"
    assert is_signed_in(client)
    assert elsewhere.get(reverse("portal:payments")).status_code == 302
    client.logout()
    assert client.post(link, chosen("another new password")).status_code == 410
    assert sign_in(client, access, OWN_PASSWORD).status_code == 302


def test_link_of_the_mail_dies_with_the_access(client, access):
    link = path_of(password_link(access.user, access.merchant))
    remove_access(access=access, now=now())

    assert client.post(link, chosen()).status_code == 410
    assert client.get(link.replace(access.merchant.slug, MerchantFactory().slug)).status_code == 410


def test_changing_the_password_ends_other_sessions(client, access):
    elsewhere = type(client)()
    for browser in (elsewhere, client):
        sign_in(browser, access)

    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD} | chosen())

    assert client.get(reverse("portal:payments")).status_code == 200
    assert elsewhere.get(reverse("portal:payments")).status_code == 302


def test_signing_out_leads_back_to_the_merchants_entrance(client, access):
    sign_in(client, access)

    page = client.get(reverse("portal:payments")).text
    answer = client.post(reverse("account_logout"), {"next": entrance(access)})

    assert f'name="next" value="{entrance(access)}"' in page
    assert answer.url == entrance(access)


def test_staff_sign_in_is_as_before(client):
    staff = StaffFactory()

    answer = client.post(reverse("account_login"), {"login": staff.user.email, "password": PASSWORD}, follow=True)

    assert answer.redirect_chain[-1][0] == reverse("backoffice:dashboard", args=[staff.merchant.slug])
