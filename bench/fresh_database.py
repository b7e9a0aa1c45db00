"""A database of its own for one run of the benchmarks, dropped afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from payorcrm.core.database import ensure_database

VAR = Path(__file__).resolve().parent.parent / "var" / "bench"


@contextmanager
def fresh_database() -> Iterator[None]:
    """Set `DATABASE_URL` to a new, migrated database on the given server or on an embedded one, and set up Django."""
    given = os.environ.get("DATABASE_URL")
    os.environ.setdefault("PAYORCRM_VAR", str(VAR))
    os.environ |= {"PAYORCRM_MODE": "test", "DJANGO_SETTINGS_MODULE": "payorcrm.config.settings"}
    server = None if given else ensure_database(VAR)
    url = given or server.url  # type: ignore[union-attr]
    name = f"payorcrm_bench_{os.getpid()}"
    _run(url, "CREATE DATABASE {}", name)
    try:
        os.environ["DATABASE_URL"] = make_conninfo(**{**conninfo_to_dict(url), "dbname": name})
        _migrate()
        yield
    finally:
        _run(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        if server:
            server.stop()


def _run(url: str, statement: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, skip_checks=True)
