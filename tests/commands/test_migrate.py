"""Migrating: two machines at once, and twice."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from payorcrm.commands.exits import Exit
from tests.factories.system import drop_database, fresh_database


@pytest.fixture
def empty_database() -> Iterator[str]:
    name = f"journeys_payorcrm_{os.getpid()}_empty"
    yield fresh_database(name)
    drop_database(name)


def start_migrating(url: str) -> subprocess.Popen[str]:
    environment = os.environ | {"DATABASE_URL": url}
    command = [sys.executable, "-m", "payorcrm", "migrate"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_two_machines_migrate_at_once(empty_database: str) -> None:
    machines = [start_migrating(empty_database) for _ in range(2)]

    messages = [machine.communicate(timeout=120)[0] for machine in machines]

    assert [machine.returncode for machine in machines] == [Exit.OK, Exit.OK], messages
    assert sorted("No migrations to apply" in message for message in messages) == [False, True]
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT count(*) FROM django_cache").fetchone() == (0,)
