"""The PostgreSQL of a test run: the one of `DATABASE_URL`, or an embedded one that forgets all in a power failure."""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from payorcrm.core.database import FAST_AND_FORGETFUL, EmbeddedServer, ensure_database, is_live_postgres
from payorcrm.core.database_home import prepare_home

LEFT_OVER = re.compile(r"(?:test_|journeys_|sandbox_|template_)?payorcrm_(\d+)(?:_\w+)?")


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


def remove(var: Path) -> None:
    """End the server of a folder, if one runs, and delete its data."""
    home = prepare_home(var)
    number = postmaster_of(home.data)
    if number:
        os.kill(number, signal.SIGQUIT)
        wait_until_gone(number)
    shutil.rmtree(home.folder)


def postmaster_of(data: Path) -> int:
    """Return the number of the server that runs on a data folder, or 0."""
    note = data / "postmaster.pid"
    return int(note.read_text().split("\n", 1)[0]) if note.exists() else 0


def wait_until_gone(number: int) -> None:
    """Wait for the end of a server, which is nobody's child."""
    deadline = time.monotonic() + 10
    while is_live_postgres(number):
        assert time.monotonic() < deadline, f"server {number} does not end"
        time.sleep(0.02)
