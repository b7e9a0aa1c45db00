"""Bring the database's tables up to date. Safe to run on several machines at once."""

import argparse
import time
from typing import TYPE_CHECKING

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

SUMMARY = "bring the database's tables up to date"

# Any number will do, as long as it is always the same one.
LOCK = 7_206_214
SECONDS_BETWEEN_TRIES = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is one way to do it."""


def run(arguments: argparse.Namespace) -> Exit:
    """Migrate."""
    with opened(), answering_database():
        migrate(verbosity=1)
    return Exit.OK


def migrate(*, verbosity: int = 0) -> None:
    """Apply what is missing, one machine at a time, and make the cache's table."""
    from django.core.management import call_command
    from django.db import connection

    # The lock of a transaction, not of a session: PgBouncer may give a session's next statement to another server.
    door = connection.copy()
    door.set_autocommit(False)
    try:
        # Not one long wait: an index that is built concurrently waits for every statement that began before it.
        while not _is_locked(door):
            time.sleep(SECONDS_BETWEEN_TRIES)
        call_command("migrate", interactive=False, verbosity=verbosity)
        call_command("createcachetable", verbosity=verbosity)
    finally:
        door.rollback()
        door.close()


def _is_locked(door: "BaseDatabaseWrapper") -> bool:
    with door.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
