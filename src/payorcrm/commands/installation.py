"""What every command needs first: a database, and Django with the settings loaded."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from payorcrm.config.env import Mode, mode, var_folder
from payorcrm.core.database import ensure_database
from payorcrm.core.errors import Refused, Unavailable


class WrongSetting(Refused):
    """The environment holds a value that cannot be understood."""

    code: ClassVar[str] = "wrong_setting"


class NoDatabase(Unavailable):
    """The database of `DATABASE_URL` does not answer."""

    code: ClassVar[str] = "no_database"


@contextmanager
def opened() -> Iterator[None]:
    """Load Django on the configured database; in a demo without one, on the embedded PostgreSQL.

    Raises WrongSetting, DatabaseUnavailable.
    """
    with embedded_database():
        load_django()
        try:
            yield
        finally:
            close_connections()


@contextmanager
def embedded_database() -> Iterator[None]:
    """Set `DATABASE_URL` to the embedded PostgreSQL while the block runs, unless it is given or this is production."""
    if os.environ.get("DATABASE_URL") or read_mode() is Mode.PRODUCTION:
        yield
        return
    with ensure_database(var_folder()) as server:
        os.environ["DATABASE_URL"] = server.url
        try:
            yield
        finally:
            del os.environ["DATABASE_URL"]


def read_mode() -> Mode:
    """Return the mode of this installation. Raises WrongSetting."""
    try:
        return mode()
    except ValueError as error:
        raise WrongSetting(f"PAYORCRM_MODE is not understood: {error}") from error


def load_django() -> None:
    """Load settings and applications. Raises WrongSetting."""
    import django
    import psycopg
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    os.environ["DJANGO_SETTINGS_MODULE"] = "payorcrm.config.settings"
    try:
        _ = settings.DATABASES
        django.setup()
    except (ValueError, psycopg.ProgrammingError, ImproperlyConfigured) as error:
        raise WrongSetting(f"The settings are not understood: {error}") from error


@contextmanager
def answering_database() -> Iterator[None]:
    """Turn a missing or silent database into one line. Raises WrongSetting, NoDatabase."""
    from django.conf import settings
    from django.db import OperationalError, connection

    if not settings.DATABASE_URL:
        raise WrongSetting("DATABASE_URL is missing. To work on the demo's own database, set PAYORCRM_MODE=demo.")
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise NoDatabase(f"The database does not answer: {str(error).strip()}") from error
    yield


def close_connections() -> None:
    """Close what this program holds of the database, its pool included."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        if connection.settings_dict["NAME"]:
            connection.close_pool()  # type: ignore[attr-defined]
