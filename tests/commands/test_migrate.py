"""Migrating: two machines at once, and what an earlier version left behind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
from django.db.migrations.loader import MigrationLoader

from payorcrm.commands.exits import Exit
from payorcrm.commands.migrate import LOCK, missing_of_replaced
from tests.factories.system import drop_database, fresh_database

# Of today's migrations; those that they replace have other names, and so it stays (see the last test).
TODAYS = "name IN ('0001_schema', '0002_triggers', '0002_sums')"

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_xact_lock%'"""


@dataclass
class Database:
    """A new database, and what two machines said that migrated it at once."""

    url: str
    built_meanwhile: bool = False
    exits: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def ask(self, question: str) -> list[tuple[object, ...]]:
        """Run one statement and return its rows."""
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(question)
            return cursor.fetchall() if cursor.description else []

    def applied(self) -> list[tuple[object, ...]]:
        """Return the names of what is applied."""
        return self.ask("SELECT app, name FROM django_migrations ORDER BY 1, 2")


@pytest.fixture(scope="module")
def migrated_database() -> Iterator[Database]:
    """A database that two machines brought up to date at once, after they had waited for a third."""
    name = f"journeys_payorcrm_{os.getpid()}_empty"
    database = Database(fresh_database(name))
    with psycopg.connect(database.url) as third:
        third.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        machines = [start_migrating(database.url) for _ in range(2)]
        while database.ask(WAITING) != [(2,)]:
            time.sleep(0.05)
        database.built_meanwhile = build_an_index_without_keeping_writers_out(database.url)
    database.said = [machine.communicate(timeout=120)[0] for machine in machines]
    database.exits = [machine.returncode for machine in machines]
    yield database
    drop_database(name)


def start_migrating(url: str) -> subprocess.Popen[str]:
    environment = os.environ | {"DATABASE_URL": url}
    line = [sys.executable, "-m", "payorcrm", "migrate"]
    return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def build_an_index_without_keeping_writers_out(url: str) -> bool:
    """Such a build waits for every statement that began before it, also for one that waits for a lock."""
    with psycopg.connect(url, autocommit=True, options="-c statement_timeout=20000") as connection:
        connection.execute("CREATE TABLE meanwhile (id int)")
        connection.execute("CREATE INDEX CONCURRENTLY meanwhile_id ON meanwhile (id)")
        connection.execute("DROP TABLE meanwhile")
    return True


def test_two_machines_take_turns_and_neither_keeps_an_index_from_being_built(migrated_database: Database) -> None:
    assert migrated_database.built_meanwhile
    assert migrated_database.exits == [Exit.OK, Exit.OK], migrated_database.said
    assert sorted("No migrations to apply" in said for said in migrated_database.said) == [False, True]
    assert migrated_database.ask("SELECT count(*) FROM django_cache") == [(0,)]


def test_a_database_that_has_all_earlier_migrations_has_todays(migrated_database: Database) -> None:
    before = migrated_database.applied()
    migrated_database.ask(f"DELETE FROM django_migrations WHERE {TODAYS}")

    said = start_migrating(migrated_database.url).communicate(timeout=120)[0]

    assert "No migrations to apply" in said
    assert migrated_database.applied() == before


def test_a_database_that_lacks_some_earlier_migrations_is_refused_as_it_is(migrated_database: Database) -> None:
    lacking = f"DELETE FROM django_migrations WHERE {TODAYS} OR (app, name) = ('reminders', '0016_compared_rehearsals')"
    migrated_database.ask(lacking)
    before = migrated_database.applied()

    machine = start_migrating(migrated_database.url)
    said = machine.communicate(timeout=120)[0]

    assert machine.returncode == Exit.REFUSED
    assert said.startswith("payorcrm: Nothing was changed.")
    assert "reminders.0016_compared_rehearsals is missing" in said
    assert len(said.splitlines()) == 1
    assert migrated_database.applied() == before


def ours() -> dict[tuple[str, str], list[str]]:
    """Return what each migration of ours replaces, by app and name."""
    found = MigrationLoader(None).disk_migrations.items()
    return {
        key: [name for _, name in each.replaces] for key, each in found if type(each).__module__.startswith("payorcrm")
    }


@pytest.mark.parametrize("app", sorted({app for (app, _), replaced in ours().items() if replaced}))
def test_nobody_stands_halfway_unnoticed(app: str) -> None:
    migrations = MigrationLoader(None).disk_migrations.values()
    earlier = sorted((app, name) for (owner, _), replaced in ours().items() if owner == app for name in replaced)

    halfway = [missing_of_replaced(migrations, set(earlier[:count])) for count in range(1, len(earlier))]

    assert all(halfway)
    assert missing_of_replaced(migrations, set()) == missing_of_replaced(migrations, set(earlier)) == []


def test_no_migration_takes_the_name_of_one_that_was_replaced() -> None:
    names = {(app, name) for app, name in ours()}
    replaced = {(app, name) for (app, _), names_of_it in ours().items() for name in names_of_it}

    assert len(replaced) > 70
    assert not names & replaced
