"""What a production installation tells browsers, read from the settings as production loads them."""

import json
import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.test import Client

PRODUCTION = {
    "PAYORCRM_MODE": "production",
    "PUBLIC_URL": "https://pay.harbor-supply.example",
    "BEHIND_TLS_PROXY": "true",
    "SECRET_KEY": "q8-Zr2v_LmX0tBn4KsWy7DcJh5FgPa1EoUi9Vx3Rb6TyNkQwMz",
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "LINK_KEYS": "w7-Kd3n_XpB0rVq5TmZy8GcLh2FsJa4EoU",
    "DATABASE_URL": "postgresql://payorcrm@localhost:1/payorcrm",
    "MAIL_FROM": "billing@mail.example",
    "EMAIL_URL": "smtp+tls://smtp.mail.example:587",
}
# A page that needs no database, through all of the middleware.
ASK = """
import json, django
django.setup()
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory
from payorcrm.portal.entrance import remember_entrance
from payorcrm.merchants.models import Merchant
from django.core.handlers.base import BaseHandler
from django.middleware.csrf import get_token
from django.urls import path

def page(request):
    get_token(request)
    answer = HttpResponse("ok")
    remember_entrance(answer, Merchant(slug="harbor"))
    return answer

class Addresses:
    urlpatterns = [path("page/", page)]

ask = RequestFactory(SERVER_NAME="pay.harbor-supply.example")
request = ask.get("/page/", secure=True, HTTP_X_FORWARDED_PROTO="https")
request.urlconf = Addresses
handler = BaseHandler()
handler.load_middleware()
answer = handler.get_response(request)
plain = ask.get("/page/")
plain.urlconf = Addresses
redirected = handler.get_response(plain)
print(json.dumps({
    "headers": dict(answer.headers),
    "cookies": {name: morsel.OutputString() for name, morsel in answer.cookies.items()},
    "redirected": [redirected.status_code, redirected.get("Location")],
    "session": [settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY,
                settings.SESSION_COOKIE_SAMESITE, settings.SESSION_COOKIE_PATH, settings.SESSION_COOKIE_DOMAIN],
    "insecure_passkeys": settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN,
}))
"""


def production(tmp_path, **more):
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "HOME")}
    environment = (
        kept | PRODUCTION | {"PAYORCRM_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "payorcrm.config.settings"}
    )
    (tmp_path / "static").mkdir()
    asked = subprocess.run(
        [sys.executable, "-c", ASK], env=environment | more, capture_output=True, text=True, timeout=60, check=False
    )
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    return production(tmp_path_factory.mktemp("production"))


def test_browsers_keep_to_https_for_a_year_on_every_host(answer):
    assert answer["headers"]["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert answer["redirected"] == [301, "https://pay.harbor-supply.example/page/"]


def test_policies_keep_pages_to_themselves(answer):
    headers = answer["headers"]

    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    for power in ("camera", "geolocation", "microphone", "payment", "usb"):
        assert f"{power}=()" in headers["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in headers["Permissions-Policy"]


def test_cookies_belong_to_this_host_alone(answer):
    assert set(answer["cookies"]) == {"__Host-csrf", "__Host-entrance"}
    for cookie in answer["cookies"].values():
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert answer["session"] == ["__Host-session", True, True, "Lax", "/", None]


def test_passkeys_are_taken_from_https_only(answer):
    assert answer["insecure_passkeys"] is False


def test_forms_may_go_to_google_only_where_it_is_configured(answer, tmp_path):
    with_google = production(tmp_path, GOOGLE_CLIENT_ID="id", GOOGLE_CLIENT_SECRET="secret")

    assert "accounts.google.com" not in answer["headers"]["Content-Security-Policy"]
    assert "accounts.google.com" in with_google["headers"]["Content-Security-Policy"]


@pytest.mark.django_db
def test_scripts_come_from_this_site_alone():
    policy = Client().get("/account/login/")["Content-Security-Policy"]

    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.django_db
def test_pages_frame_the_processors_fields_alone():
    policy = Client().get("/account/login/")["Content-Security-Policy"]

    assert f"frame-src {settings.SANDBOX_URL};" in policy + ";"
