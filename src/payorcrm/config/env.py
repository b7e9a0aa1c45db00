"""Typed reads of the environment. Nothing else in the project reads it, but for the command line's own switches.

A demo and the tests make their secrets once and keep them under `var/`; production must be given all of them.
"""

import json
import os
import secrets
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.fernet import Fernet
from environs import Env
from psycopg.conninfo import conninfo_to_dict

env = Env()


class Mode(StrEnum):
    """What this installation is for."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


def mode() -> Mode:
    """Return `PAYORCRM_MODE`; a forgotten variable means production, the strict one."""
    return env.enum("PAYORCRM_MODE", enum=Mode, by_value=True, default=Mode.PRODUCTION)


def var_folder() -> Path:
    """Return the folder for what the program makes: `PAYORCRM_VAR`, or `var` in the current folder."""
    return Path(env.str("PAYORCRM_VAR", "var")).absolute()


def secret(name: str) -> str:
    """Return a secret of the environment; in demo and tests, one made on first use. Empty when missing."""
    given = env.str(name, "")
    if given or mode() is Mode.PRODUCTION:
        return given
    return _made_secrets()[name]


def secret_list(name: str) -> list[str]:
    """Return a comma-separated list of secrets, the one in use first."""
    return [part.strip() for part in secret(name).split(",") if part.strip()]


def _made_secrets() -> dict[str, str]:
    path = var_folder() / "secrets.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_once(path, json.dumps(_new_secrets(), indent=1))
    made: dict[str, str] = json.loads(path.read_text())
    return made


def _write_once(path: Path, text: str) -> None:
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _new_secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "LINK_KEYS": secrets.token_urlsafe(32),
        "SANDBOX_ADMIN_KEY": secrets.token_urlsafe(32),
    }


def databases(url: str, *, pool_size: int, behind_pgbouncer: bool) -> dict[str, dict[str, object]]:
    """Return Django's `DATABASES` for a `postgresql://` address; all that libpq understands may stand in it."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    options: dict[str, object] = {key: value for key, value in parts.items() if key not in _DJANGO_NAMES}
    if pool_size:
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 15}
    named = {django: parts.get(libpq, "") for libpq, django in _DJANGO_NAMES.items()}
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            **named,
            "OPTIONS": options,
            # A connection that a restart of PostgreSQL left behind is replaced instead of costing a visitor an error.
            "CONN_HEALTH_CHECKS": True,
            # A server-side cursor does not survive PgBouncer's transaction pooling.
            "DISABLE_SERVER_SIDE_CURSORS": behind_pgbouncer,
        }
    }


_DJANGO_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def mail_server(url: str) -> dict[str, object]:
    """Return host, port, user, password and security of an `EMAIL_URL`; empty for an empty one.

    `smtp://` upgrades to TLS when offered, `smtp+tls://` insists on STARTTLS, `smtps://` speaks TLS from the first
    byte; `?insecure=1` on `smtp://` never upgrades. Raises ValueError naming what is wrong.
    """
    if not url:
        return {}
    parts = urlsplit(url)
    security = {"smtp": "opportunistic", "smtp+tls": "starttls", "smtps": "tls"}.get(parts.scheme)
    if not security or not parts.hostname:
        raise ValueError("EMAIL_URL must look like smtp://user:password@host:587")
    if "insecure" in parse_qs(parts.query):
        security = "none"
    return {
        "host": parts.hostname,
        "port": parts.port or {"tls": 465, "none": 25}.get(security, 587),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "security": security,
    }
