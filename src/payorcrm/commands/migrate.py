"""Bring the database's tables up to date. Safe to run on several machines at once."""

import argparse
import time
from typing import TYPE_CHECKING, ClassVar

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened
from payorcrm.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.migrations import Migration

SUMMARY = "bring the database's tables up to date"

# Any number will do, as long as it is always the same one.
LOCK = 7_206_214
SECONDS_BETWEEN_TRIES = 0.5


class HalfwayDatabase(Refused):
    """The database has some, but not all, of the earlier migrations that one of today's stands for."""

    code: ClassVar[str] = "halfway_database"

    def __init__(self, app: str, name: str) -> None:
        super().__init__(
            f"Nothing was changed. An earlier PayorCRM made this database, and its {app}.{name} is missing. Run "
            '`payorcrm migrate` of its last version first, then of this one; see "The database" in docs/operations.md.'
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is one way to do it."""


def run(arguments: argparse.Namespace) -> Exit:
    """Migrate."""
    with opened(), answering_database():
        migrate(verbosity=1)
    return Exit.OK


def migrate(*, verbosity: int = 0) -> None:
    """Apply what is missing, one machine at a time, and make the cache's table. Raises HalfwayDatabase."""
    from django.core.management import call_command
    from django.db import connection

    # The lock of a transaction, not of a session: PgBouncer may give a session's next statement to another server.
    door = connection.copy()
    door.set_autocommit(False)
    try:
        # Not one long wait: an index that is built concurrently waits for every statement that began before it.
        while not _is_locked(door):
            time.sleep(SECONDS_BETWEEN_TRIES)
        _refuse_halfway_database()
        call_command("migrate", interactive=False, verbosity=verbosity)
        call_command("createcachetable", verbosity=verbosity)
    finally:
        door.rollback()
        door.close()


def _is_locked(door: "BaseDatabaseWrapper") -> bool:
    with door.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _refuse_halfway_database() -> None:
    """Refuse a database that Django would either not understand or build on top of."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    applied = MigrationRecorder(connection).applied_migrations()
    for app, name in missing_of_replaced(MigrationLoader(None).disk_migrations.values(), applied):
        raise HalfwayDatabase(app, name)


def missing_of_replaced(
    migrations: "Iterable[Migration]", applied: "Collection[tuple[str, str]]"
) -> list[tuple[str, str]]:
    """Return the replaced migrations that are not applied although others beside them are."""
    missing = []
    for migration in migrations:
        without = [replaced for replaced in migration.replaces if replaced not in applied]
        missing += without if len(without) < len(migration.replaces) else []
    return missing
