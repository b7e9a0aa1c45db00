"""The PostgreSQL of a test run: the one of `DATABASE_URL`, or an embedded one that forgets all in a power failure."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from payorcrm.core.database import FAST_AND_FORGETFUL, EmbeddedServer, ensure_database

LEFT_OVER = re.compile(r"(?:test_|journeys_|sandbox_)?payorcrm_(\d+)(?:_\w+)?")


def provide(var: Path) -> Callable[[], None]:
    """Set `DATABASE_URL` unless it is given, and return what ends the run's hold on the database."""
    if os.environ.get("DATABASE_URL"):
        return lambda: None
    server = ensure_database(var, settings=FAST_AND_FORGETFUL)
    _drop_left_overs(server)
    os.environ["DATABASE_URL"] = server.url_of(f"payorcrm_{os.getpid()}")
    return server.stop


def _drop_left_overs(server: EmbeddedServer) -> None:
    """Drop the databases of test runs that were killed."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
            owner = LEFT_OVER.fullmatch(name)
            if owner and not _is_running(int(owner[1])):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
