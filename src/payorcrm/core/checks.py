"""System checks of a production installation: which secrets are missing and which settings are unsafe.

In demo and tests they find nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import Error, Tags, register, run_checks
from django.core.exceptions import ImproperlyConfigured

from payorcrm.core.errors import Refused

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SHORTEST_SECRET_KEY = 50
SHORTEST_LINK_KEY = 32
# Those whose events are understood; `webhooks/read_mail_events.py` does.
MAIL_PROVIDERS = ("mailgun", "postmark", "brevo", "mailjet")


class UnsafeSettings(Refused):
    """A production installation misses a secret or has an unsafe setting."""

    code: ClassVar[str] = "unsafe_settings"


def refuse_unsafe_settings() -> None:
    """Run the security checks. Raises UnsafeSettings with all that they found, one a line."""
    found = [problem for problem in run_checks(tags=[Tags.security]) if problem.is_serious()]
    if found:
        lines = "".join(f"\n  - {problem.msg}" + (f" {problem.hint}" if problem.hint else "") for problem in found)
        raise UnsafeSettings(f"This production installation is not ready:{lines}\nFor a trial, run `make demo`.")


@register(Tags.security)
def check_production(**_: Any) -> list[Error]:
    """Return what keeps this installation from being safe in production."""
    if not settings.IS_PRODUCTION:
        return []
    return [error for check in CHECKS for error in check()]


def _missing() -> Iterator[Error]:
    hints = {
        "SECRET_KEY": "Make one of 50 random characters or more.",
        "ENCRYPTION_KEYS": "Make one with cryptography's Fernet.generate_key().",
        "LINK_KEYS": "Make one of 32 random characters or more.",
        "DATABASE_URL": "It looks like postgresql://user:password@host/database.",
        "MAIL_FROM": "It is the address that mails come from.",
    }
    for name, hint in hints.items():
        if not _setting(name):
            yield Error(f"{name} is missing.", hint=hint, id="payorcrm.E001")
    if not settings.MAIL_SERVER:
        hint = "It looks like smtp+tls://user:password@host:587."
        yield Error("EMAIL_URL is missing.", hint=hint, id="payorcrm.E001")


def _weak_secrets() -> Iterator[Error]:
    secret = _setting("SECRET_KEY")
    if secret and (len(secret) < SHORTEST_SECRET_KEY or len(set(secret)) < 5 or secret.startswith("django-insecure")):
        yield Error(f"SECRET_KEY is too weak: {SHORTEST_SECRET_KEY} random characters or more.", id="payorcrm.E002")
    for place, key in enumerate(settings.LINK_KEYS, start=1):
        if len(key) < SHORTEST_LINK_KEY:
            yield Error(f"LINK_KEYS: key {place} is shorter than {SHORTEST_LINK_KEY} characters.", id="payorcrm.E003")
    for place, key in enumerate(settings.ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            hint = "Make one with cryptography's Fernet.generate_key()."
            yield Error(f"ENCRYPTION_KEYS: key {place} is not a Fernet key.", hint=hint, id="payorcrm.E004")


def _open_doors() -> Iterator[Error]:
    if not settings.IS_SECURE:
        yield Error(f"PUBLIC_URL is {settings.PUBLIC_URL}, and must begin with https://.", id="payorcrm.E005")
    elif urlsplit(settings.PUBLIC_URL).hostname in LOOPBACK:
        yield Error("PUBLIC_URL leads to this machine only; the links in mails would not work.", id="payorcrm.E006")
    if settings.IS_SECURE and not settings.SECURE_PROXY_SSL_HEADER:
        hint = "Set BEHIND_TLS_PROXY=true once a proxy ends TLS and sets X-Forwarded-Proto and X-Forwarded-For."
        yield Error("Nothing in front of this server speaks https.", hint=hint, id="payorcrm.E012")
    if "*" in settings.ALLOWED_HOSTS:
        yield Error("ALLOWED_HOSTS allows every host name.", id="payorcrm.E007")
    if settings.DEBUG:
        yield Error("DEBUG shows visitors the insides of every error.", id="payorcrm.E008")
    server = settings.MAIL_SERVER
    if server and server["security"] == "none" and server["host"] not in LOOPBACK:
        yield Error("EMAIL_URL sends mails over an open line (insecure=1).", id="payorcrm.E009")


def _pretences() -> Iterator[Error]:
    if "sandbox" in settings.PAYMENT_GATEWAYS and not settings.ALLOW_SANDBOX:
        hint = "For a rehearsal without money, set ALLOW_SANDBOX=true."
        yield Error("The sandbox gateway only pretends to move money.", hint=hint, id="payorcrm.E010")
    if settings.CLOCK_OFFSET_SECONDS:
        yield Error("PAYORCRM_CLOCK_OFFSET moves the clock.", id="payorcrm.E011")


def _mail_events() -> Iterator[Error]:
    provider = settings.MAIL_EVENTS_PROVIDER
    if provider and provider not in MAIL_PROVIDERS:
        known = ", ".join(MAIL_PROVIDERS)
        yield Error(f"MAIL_EVENTS_PROVIDER is {provider}, and must be one of {known}.", id="payorcrm.E013")
    if provider and not settings.MAIL_EVENTS_SECRET:
        hint = "Without it, anybody could report that mails bounced."
        yield Error("MAIL_EVENTS_SECRET is missing.", hint=hint, id="payorcrm.E014")


CHECKS: tuple[Callable[[], Iterator[Error]], ...] = (_missing, _weak_secrets, _open_doors, _pretences, _mail_events)


def _setting(name: str) -> Any:
    try:
        return getattr(settings, name)
    except ImproperlyConfigured:
        # Django refuses to hand out an empty SECRET_KEY.
        return ""
