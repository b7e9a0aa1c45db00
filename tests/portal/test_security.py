"""A user's own safety: passkeys and a second step, sessions, and several customers."""

from datetime import timedelta
from time import time
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.customers.password_link import password_link
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Role
from tests.factories.models import PASSWORD, CustomerFactory, PortalAccessFactory, StaffFactory

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def access():
    return PortalAccessFactory()


@pytest.fixture
def staff(access):
    return StaffFactory(merchant=access.merchant, role=Role.COLLECTOR)


def sign_in(client, access):
    address = reverse("portal:entrance", args=[access.merchant.slug])
    client.get(address)
    return client.post(address, {"login": access.user.email, "password": PASSWORD})


def signed_in(access, user_agent=FIREFOX):
    browser = Client(headers={"User-Agent": user_agent})
    sign_in(browser, access)
    return browser


def app_code():
    return format_hotp_value(hotp_value(SECRET, next(yield_hotp_counters_from_time())))


def test_security_page_wears_the_portal_and_offers_all_ways(access):
    page = signed_in(access).get(reverse("portal:security"))

    assert access.merchant.name in page.text
    assert reverse("mfa_add_webauthn") in page.text
    assert reverse("mfa_activate_totp") in page.text
    assert "Sign out" in page.text


def test_staff_see_their_security_without_the_portal(client, staff):
    client.force_login(staff.user)

    page = client.get(reverse("mfa_index"))

    assert page.status_code == 200
    assert reverse("portal:payments") not in page.text


def test_staff_may_sign_in_with_a_passkey_too(client, db):
    question = client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"}).json()

    assert reverse("mfa_login_webauthn") in client.get(reverse("account_login")).text
    assert question["request_options"]["publicKey"]["userVerification"] == "required"


def test_adding_a_passkey_asks_for_the_password_first(access):
    browser = signed_in(access)

    asked = browser.get(reverse("mfa_add_webauthn"), follow=True)
    shown = browser.post(asked.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)

    assert "Confirm that it is you" in asked.text
    assert access.merchant.name in asked.text
    assert "Add a passkey" in shown.text
    assert "js_data" in shown.text


@pytest.mark.django_db(transaction=True)
def test_authenticator_app_is_set_up_sealed_told_by_mail_and_asked_for(client, access, settings):
    settings.EMAIL_BACKEND = "payorcrm.mail.backend.OutboxBackend"
    browser = signed_in(access)
    asked = browser.get(reverse("mfa_activate_totp"), follow=True)
    page = browser.post(asked.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    secret = page.context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))

    codes = browser.post(reverse("mfa_activate_totp"), {"code": code}, follow=True)
    second = sign_in(client, access)

    assert "Recovery codes" in codes.text
    assert secret not in str(Authenticator.objects.get(type="totp").data)
    assert list(Mail.objects.values_list("to_address", "subject")) == [
        (access.user.email, "An authenticator app was added to your sign-in")
    ]
    assert second.url == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session


def passkey_of(user):
    return Authenticator.objects.create(user=user, type="webauthn", data={"name": "Phone", "credential": {}})


@pytest.fixture(params=["portal", "staff"])
def person(request, access, staff):
    """Somebody who has signed in, and the browser in which: of a customer, or of the staff."""
    if request.param == "portal":
        return access.user, signed_in(access)
    browser = Client()
    browser.post(reverse("account_login"), {"login": staff.user.email, "password": PASSWORD})
    return staff.user, browser


EXCHANGES = ["mfa_deactivate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes", "mfa_download_recovery_codes"]


def test_a_password_alone_neither_takes_an_app_away_nor_makes_recovery_codes(person):
    user, browser = person
    TOTP.activate(user, SECRET)
    codes = RecoveryCodes.activate(user).get_unused_codes()

    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    refused = {unquote(answer.url) for name in EXCHANGES for answer in each_way(browser, reverse(name))}
    asked = browser.get(reverse("mfa_deactivate_totp"), follow=True).text
    wrong = browser.post(reverse("mfa_reauthenticate"), {"code": PASSWORD})
    still = browser.post(reverse("mfa_deactivate_totp"))
    browser.post(reverse("mfa_reauthenticate"), {"code": codes[0]})
    browser.post(reverse("mfa_deactivate_totp"))

    assert refused == {f"{reverse('mfa_reauthenticate')}?next={reverse(name)}" for name in EXCHANGES}
    assert "one of your recovery codes" in asked
    assert reverse("account_reauthenticate") not in asked
    assert (wrong.status_code, still.status_code) == (200, 302)
    assert not Authenticator.objects.filter(user=user).exists()


def each_way(browser, place):
    return browser.get(place), browser.post(place)


def test_a_password_alone_takes_no_passkey_away(person):
    user, browser = person
    place = reverse("mfa_remove_webauthn", args=[passkey_of(user).pk])

    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answers = each_way(browser, place)

    wanted = f"{reverse('mfa_reauthenticate_webauthn')}?next={place}"
    assert [unquote(answer.url) for answer in answers] == [wanted] * 2
    assert Authenticator.objects.filter(user=user).exists()


def test_a_code_from_long_ago_does_not_take_an_app_away(person):
    user, browser = person
    TOTP.activate(user, SECRET)
    browser.post(reverse("mfa_reauthenticate"), {"code": app_code()})
    session = SessionStore(browser.session.session_key)
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session["account_authentication_methods"].append({"method": "password", "at": time(), "reauthenticated": True})
    session.save()

    answer = browser.post(reverse("mfa_deactivate_totp"))

    assert answer.url.startswith(reverse("mfa_reauthenticate"))
    assert Authenticator.objects.filter(user=user).exists()


def test_second_step_leads_to_the_customer_of_the_entrance(client, access):
    PortalAccessFactory(user=access.user, customer=CustomerFactory(merchant__name="AAA Supply"))
    TOTP.activate(access.user, SECRET)

    step = client.get(sign_in(client, access).url)
    arrived = client.post(reverse("mfa_authenticate"), {"code": app_code()}, follow=True)

    assert access.merchant.name in step.text
    assert access.customer.company_name in arrived.text
    access.refresh_from_db()
    assert access.last_used_at


def test_new_password_by_mail_does_not_pass_by_the_second_step(client, access):
    TOTP.activate(access.user, SECRET)
    link = "/" + password_link(access.user, access.merchant).split("/", 3)[3]

    answer = client.post(link, {"password1": "seven green bicycles", "password2": "seven green bicycles"})

    assert answer.url == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session


def test_wrong_code_does_not_sign_in(client, access):
    TOTP.activate(access.user, SECRET)
    sign_in(client, access)

    page = client.post(reverse("mfa_authenticate"), {"code": "000000"})

    assert "Incorrect code" in page.text
    assert "_auth_user_id" not in client.session


def test_sessions_are_listed_with_this_one_marked(access):
    signed_in(access, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile/15E148 Safari/604.1")
    here = signed_in(access)
    earlier = now() - timedelta(minutes=4)
    UserSession.objects.filter(session_key=here.session.session_key).update(last_seen_at=earlier)

    page = here.get(reverse("portal:sessions")).text

    assert UserSession.objects.get(session_key=here.session.session_key).last_seen_at > earlier
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert page.count("This browser") == 1
    assert "127.0.0.1" in page


def test_one_session_is_ended_from_another(access):
    there, here = signed_in(access), signed_in(access)
    row = UserSession.objects.get(session_key=there.session.session_key)

    here.post(reverse("portal:end_session"), {"session": row.pk})

    assert there.get(reverse("portal:payments")).status_code == 302
    assert here.get(reverse("portal:payments")).status_code == 200


@pytest.mark.parametrize("typed", ["", "x", "9" * 30, "²"])
def test_session_that_is_no_number_is_not_found(access, typed):
    assert signed_in(access).post(reverse("portal:end_session"), {"session": typed}).status_code == 404


def test_another_users_session_is_not_found(access):
    stranger = PortalAccessFactory(customer=access.customer)
    theirs = signed_in(stranger)
    row = UserSession.objects.get(session_key=theirs.session.session_key)

    answer = signed_in(access).post(reverse("portal:end_session"), {"session": row.pk})

    assert answer.status_code == 404
    assert theirs.get(reverse("portal:payments")).status_code == 200


def test_signing_out_everywhere_ends_all(access):
    there, here = signed_in(access), signed_in(access)

    answer = here.post(reverse("portal:end_all_sessions"), follow=True)

    assert "signed out everywhere" in answer.text
    assert there.get(reverse("portal:payments")).status_code == 302
    assert here.get(reverse("portal:payments")).status_code == 302
    assert not UserSession.objects.exists()


def test_signing_out_everywhere_ends_sessions_that_are_not_listed(access):
    there, here, stranger = signed_in(access), signed_in(access), signed_in(PortalAccessFactory())
    UserSession.objects.filter(session_key=there.session.session_key).delete()
    before = there.get(reverse("portal:payments")).status_code

    here.post(reverse("portal:end_all_sessions"))

    assert before == 200
    assert there.get(reverse("portal:payments")).status_code == 302
    assert stranger.get(reverse("portal:payments")).status_code == 200
    assert signed_in(access).get(reverse("portal:payments")).status_code == 200


@pytest.mark.parametrize("count", [1, 30])
def test_list_of_sessions_costs_the_same_however_long(access, count, django_assert_num_queries):
    here = signed_in(access)
    for _ in range(count - 1):
        store = SessionStore()
        store.create()
        UserSession.objects.create(user=access.user, ip="127.0.0.1", session_key=store.session_key, user_agent=FIREFOX)
    here.get(reverse("portal:sessions"))

    with django_assert_num_queries(5):
        assert here.get(reverse("portal:sessions")).text.count("Firefox") == count


def test_switch_account_lists_customers_by_merchant(access):
    other = PortalAccessFactory(user=access.user, customer=CustomerFactory(company_name="Zebra Prints"))
    browser = signed_in(access)

    page = browser.get(reverse("portal:accounts")).text
    browser.post(reverse("portal:switch_customer"), {"access": other.id})

    assert page.index(access.merchant.name) < page.index("Zebra Prints")
    assert "Open now" in page
    assert "Zebra Prints" in browser.get(reverse("portal:payments")).text


def test_switching_is_offered_with_two_customers_only(access):
    browser = signed_in(access)

    before = browser.get(reverse("portal:payments")).text
    PortalAccessFactory(user=access.user)
    after = browser.get(reverse("portal:payments")).text

    assert "Switch account" not in before
    assert "Switch account" in after


def test_tab_of_another_customer_offers_to_switch(access):
    PortalAccessFactory(user=access.user)

    answer = signed_in(access).get(reverse("portal:payment", args=["01900000-0000-7000-8000-000000000000"]))

    assert answer.status_code == 404
    assert reverse("portal:accounts") in answer.text


def test_entrance_cookie_opens_nothing_and_survives_rubbish(client, access):
    client.cookies[settings.ENTRANCE_COOKIE_NAME] = "x" * 5000

    assert client.get(reverse("portal:payments")).url.startswith(reverse("account_login"))
