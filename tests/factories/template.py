"""A database that is migrated once a run, by whoever needs it first; the others are copies of it."""

import os
import subprocess
import sys
from collections.abc import Callable

import psycopg
from psycopg import sql

from tests.factories.system import administration, drop_database, fresh_database

LOCK = 7_206_215


def migrated_template() -> str:
    """Return the name of the database to copy; that it is there means that it is whole."""
    name = _name()
    with psycopg.connect(administration()) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            _make(name)
    return name


def hold_template() -> Callable[[], None]:
    """Keep the database of this run, and return what removes it unless another process holds it, too."""
    number = [int(os.environ["TEST_RUN"])]
    connection = psycopg.connect(administration(), autocommit=True)
    connection.execute("SELECT pg_advisory_lock_shared(%s)", number)

    def let_go() -> None:
        with connection:
            connection.execute("SELECT pg_advisory_unlock_shared(%s)", number)
            if connection.execute("SELECT pg_try_advisory_lock(%s)", number).fetchone() == (True,):
                drop_database(_name())

    return let_go


def _name() -> str:
    # Both halves of a run have one number; a half that runs alone has that of its first process.
    return f"template_payorcrm_{os.environ['TEST_RUN']}"


def _make(name: str) -> None:
    draft = f"{name}_draft"
    environment = os.environ | {"DATABASE_URL": fresh_database(draft)}
    migration = [sys.executable, "-m", "payorcrm", "migrate"]
    subprocess.run(migration, env=environment, stdout=subprocess.DEVNULL, check=True)
    with psycopg.connect(administration(), autocommit=True) as connection:
        names = (sql.Identifier(draft), sql.Identifier(name))
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
