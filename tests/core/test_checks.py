"""A production installation is refused until nothing is missing and nothing is unsafe."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

from payorcrm.core.checks import UnsafeSettings, check_production, refuse_unsafe_settings

SAFE: dict[str, Any] = {
    "IS_PRODUCTION": True,
    "SECRET_KEY": "q8-Zr2v_LmX0tBn4KsWy7DcJh5FgPa1EoUi9Vx3Rb6TyNkQwMz",
    "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    "LINK_KEYS": ["w7-Kd3n_XpB0rVq5TmZy8GcLh2FsJa4EoU"],
    "DATABASE_URL": "postgresql://payorcrm@database.example/payorcrm",
    "MAIL_FROM": "billing@mail.example",
    "MAIL_SERVER": {"host": "smtp.mail.example", "security": "starttls"},
    "PUBLIC_URL": "https://pay.harbor-supply.example",
    "IS_SECURE": True,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "ALLOWED_HOSTS": ["pay.harbor-supply.example"],
    "PAYMENT_GATEWAYS": {},
    "CLOCK_OFFSET_SECONDS": 0.0,
    "MAIL_EVENTS_PROVIDER": "",
    "MAIL_EVENTS_SECRET": "",
    "DEBUG": False,
}
UNSAFE = [
    ("SECRET_KEY", "", "SECRET_KEY is missing"),
    ("ENCRYPTION_KEYS", [], "ENCRYPTION_KEYS is missing"),
    ("LINK_KEYS", [], "LINK_KEYS is missing"),
    ("DATABASE_URL", "", "DATABASE_URL is missing"),
    ("MAIL_FROM", "", "MAIL_FROM is missing"),
    ("MAIL_SERVER", {}, "EMAIL_URL is missing"),
    ("SECRET_KEY", "short", "SECRET_KEY is too weak"),
    ("SECRET_KEY", "a" * 60, "SECRET_KEY is too weak"),
    ("LINK_KEYS", ["short"], "LINK_KEYS: key 1 is shorter"),
    ("ENCRYPTION_KEYS", ["not a key"], "ENCRYPTION_KEYS: key 1 is not a Fernet key"),
    ("IS_SECURE", False, "must begin with https"),
    ("SECURE_PROXY_SSL_HEADER", None, "Nothing in front of this server speaks https"),
    ("PUBLIC_URL", "https://localhost", "leads to this machine only"),
    ("ALLOWED_HOSTS", ["*"], "allows every host name"),
    ("DEBUG", True, "DEBUG shows"),
    ("MAIL_SERVER", {"host": "smtp.mail.example", "security": "none"}, "over an open line"),
    ("PAYMENT_GATEWAYS", {"sandbox": "some.Gateway"}, "only pretends to move money"),
    ("CLOCK_OFFSET_SECONDS", 86_400.0, "moves the clock"),
    ("MAIL_EVENTS_PROVIDER", "mailgun", "MAIL_EVENTS_SECRET is missing"),
    ("MAIL_EVENTS_PROVIDER", "mailgoon", "must be one of mailgun, postmark, brevo, mailjet"),
]


@pytest.fixture
def production(settings: Settings) -> Settings:
    for name, value in SAFE.items():
        setattr(settings, name, value)
    return settings


def test_safe_installation_is_let_through(production: Settings) -> None:
    refuse_unsafe_settings()

    assert check_production() == []


@pytest.mark.parametrize(("name", "value", "complaint"), UNSAFE)
def test_unsafe_setting_is_refused_by_name(production: Settings, name: str, value: object, complaint: str) -> None:
    setattr(production, name, value)

    with pytest.raises(UnsafeSettings, match=complaint):
        refuse_unsafe_settings()


def test_all_problems_are_named_at_once(production: Settings) -> None:
    production.SECRET_KEY = ""
    production.MAIL_FROM = ""

    with pytest.raises(UnsafeSettings) as refusal:
        refuse_unsafe_settings()

    assert "SECRET_KEY is missing" in str(refusal.value)
    assert "MAIL_FROM is missing" in str(refusal.value)


def test_sandbox_is_let_through_for_a_rehearsal(production: Settings) -> None:
    production.PAYMENT_GATEWAYS = {"sandbox": "some.Gateway"}
    production.ALLOW_SANDBOX = True

    assert check_production() == []


def test_unsafe_settings_are_no_matter_outside_production(production: Settings) -> None:
    production.IS_PRODUCTION = False
    production.SECRET_KEY = ""

    assert check_production() == []
