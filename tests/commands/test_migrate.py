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
    return _start(url, "payorcrm", "migrate")


def _start(url: str, *command: str) -> subprocess.Popen[str]:
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "payorcrm.config.settings"}
    line = [sys.executable, "-m", *command]
    return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def migrated_to(url: str, app: str, name: str) -> None:
    run = _start(url, "django", "migrate", app, name)
    printed = run.communicate(timeout=120)[0]
    assert run.returncode == 0, printed


def test_two_machines_bring_a_filled_database_up_to_date_without_keeping_writers_out(empty_database: str) -> None:
    migrated_to(empty_database, "invoices", "0003")
    migrated_to(empty_database, "payments", "0004")
    with psycopg.connect(empty_database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(OLD_LINE)
        # What a build that was broken off leaves behind.
        connection.execute("CREATE INDEX invoice_open_by_customer ON invoices_invoice (customer_id)")

    machines = [start_migrating(empty_database) for _ in range(2)]
    messages = [machine.communicate(timeout=120)[0] for machine in machines]

    assert [machine.returncode for machine in machines] == [Exit.OK, Exit.OK], messages
    assert sorted("No migrations to apply" in message for message in messages) == [False, True]
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT count(*) FROM django_cache").fetchone() == (0,)
        checks = "SELECT convalidated FROM pg_constraint WHERE conname IN ('request_origin', 'request_line_amount')"
        assert connection.execute(checks).fetchall() == [(True,), (True,)]
        index = "SELECT indexdef LIKE '%%(customer_id, due_on, id) WHERE%%' FROM pg_indexes WHERE indexname = %s"
        assert connection.execute(index, ["invoice_open_by_customer"]).fetchone() == (True,)
        assert connection.execute("SELECT amount FROM payments_paymentrequestline").fetchall() == [(None,)]


OLD_LINE = """
INSERT INTO payments_paymentrequestline (request_id, invoice_id, customer_id)
VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid())"""
