"""Sign-in by Google: for people who exist, by an address that Google has verified, against a stand-in for Google."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.core.cache import cache
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.core.models import User
from payorcrm.customers.portal_access import remove_access
from payorcrm.mail.models import Mail
from tests.factories.models import PASSWORD, PortalAccessFactory, UserFactory

pytestmark = pytest.mark.django_db


class StandIn(ThreadingHTTPServer):
    """Answers as Google does once a person has agreed there: a token for a code, a person for a token."""

    daemon_threads = True
    person: dict[str, object] = {}


class Answers(BaseHTTPRequestHandler):
    server: StandIn

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say({"access_token": "token", "token_type": "Bearer", "expires_in": 3600})

    def do_GET(self) -> None:
        self._say(self.server.person)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _say(self, what: dict[str, object]) -> None:
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def google(settings, monkeypatch):
    settings.HAS_GOOGLE = True
    settings.SOCIALACCOUNT_PROVIDERS = {
        "google": {"APPS": [{"client_id": "id", "secret": "secret"}], "OAUTH_PKCE_ENABLED": True}
    }
    cache.clear()
    server = StandIn(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(GoogleOAuth2Adapter, "access_token_url", f"{address}/token")
    monkeypatch.setattr(GoogleOAuth2Adapter, "identity_url", f"{address}/person")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def access():
    return PortalAccessFactory()


def agree_at_google(client, google, email, *, verified=True, uid="1234"):
    google.person = {"id": uid, "email": email, "verified_email": verified, "name": "Jo"}
    begun = client.post(reverse("google_login"), {"next": "/portal/payments/"})
    asked = parse_qs(urlsplit(begun["Location"]).query)
    return client.get(reverse("google_callback"), {"code": "code", "state": asked["state"][0]})


def is_signed_in(client):
    return "_auth_user_id" in client.session


def entrance(access):
    return reverse("portal:entrance", args=[access.merchant.slug])


def test_button_is_there_only_where_google_is_configured(client, google, access, settings):
    with_google = client.get(entrance(access)).text
    settings.HAS_GOOGLE = False

    assert "Sign in with Google" in with_google
    assert "Google" not in client.get(entrance(access)).text
    assert client.post(reverse("google_login")).status_code == 404


def test_user_signs_in_by_the_verified_address(client, google, access):
    client.get(entrance(access))

    answer = agree_at_google(client, google, access.user.email.upper())

    assert is_signed_in(client)
    assert answer.url == "/portal/payments/"
    assert SocialAccount.objects.get().user == access.user
    access.user.refresh_from_db()
    access.refresh_from_db()
    assert access.user.check_password(PASSWORD)
    assert access.last_used_at


def test_second_time_goes_by_the_account_not_by_the_address(client, google, access):
    agree_at_google(client, google, access.user.email)
    client.logout()

    agree_at_google(client, google, "renamed@gmail.example")

    assert client.session["_auth_user_id"] == str(access.user.pk)


def test_unverified_address_signs_nobody_in(client, google, access):
    client.get(entrance(access))

    answer = agree_at_google(client, google, access.user.email, verified=False)

    assert not is_signed_in(client)
    assert answer.url == entrance(access)
    assert "There is no sign-in for this Google account" in client.get(answer.url).text


def test_stranger_is_turned_away_and_never_made_a_user(client, google, access):
    agree_at_google(client, google, "stranger@gmail.example")

    assert not is_signed_in(client)
    assert not User.objects.filter(email="stranger@gmail.example").exists()
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("why", ["no access", "removed", "inactive"])
def test_user_with_nothing_to_sign_in_for_is_turned_away(client, google, access, why):
    user = UserFactory() if why == "no access" else access.user
    if why == "removed":
        remove_access(access=access, now=now())
    if why == "inactive":
        User.objects.filter(id=user.id).update(is_active=False)

    agree_at_google(client, google, user.email)

    assert not is_signed_in(client)


def test_second_step_is_asked_after_google_too(client, google, access):
    TOTP.activate(access.user, "JBSWY3DPEHPK3PXP")

    answer = agree_at_google(client, google, access.user.email)

    assert answer.url == reverse("mfa_authenticate")
    assert not is_signed_in(client)


def test_refusal_at_google_leads_back_with_a_word(client, google, access):
    client.get(entrance(access))
    client.post(reverse("google_login"))

    answer = client.get(reverse("google_callback"), {"error": "access_denied"}, follow=True)

    assert "Google did not sign you in" in answer.text
    assert access.merchant.name in answer.text


def test_user_disconnects_google_and_each_change_is_told_once(client, google, access, settings):
    settings.EMAIL_BACKEND = "payorcrm.mail.backend.OutboxBackend"
    agree_at_google(client, google, access.user.email)

    shown = client.get(reverse("portal:security")).text
    for _ in range(2):
        client.post(reverse("google_disconnect"))

    assert "Disconnect" in shown
    assert not SocialAccount.objects.exists()
    assert list(Mail.objects.order_by("id").values_list("to_address", "subject")) == [
        (access.user.email, "A Google account was connected to your sign-in"),
        (access.user.email, "The Google account was taken off your sign-in"),
    ]


def test_only_way_to_sign_in_is_not_disconnected(client, google, access):
    access.user.set_unusable_password()
    access.user.save()
    agree_at_google(client, google, access.user.email)

    answer = client.post(reverse("google_disconnect"), follow=True)

    assert "Choose a password first" in answer.text
    assert SocialAccount.objects.exists()
