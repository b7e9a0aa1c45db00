"""The command line as scripts see it: words, lines and exit codes."""

import os
import subprocess
import sys

import pytest

from payorcrm.commands.exits import Exit
from payorcrm.commands.line import COMMANDS
from tests.factories.line import payorcrm_here

SILENCED = {"DATABASE_URL", "PAYORCRM_MODE", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}


def payorcrm(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in SILENCED}
    command = [sys.executable, "-W", "error", "-m", "payorcrm", *words]
    return subprocess.run(command, env=inherited | environment, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_every_command_and_exit_code() -> None:
    answer = payorcrm("--help")

    assert answer.returncode == Exit.OK
    assert all(name in answer.stdout for name in COMMANDS)
    assert "exit codes:" in answer.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    answer = payorcrm_here(name, "--help")

    assert answer.returncode == Exit.OK
    assert f"usage: payorcrm {name}" in answer.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["collect"],
        [],
        ["import", "mails", "x.csv"],
        ["serve", "--port", "many"],
        ["remind", "--min-days-overdue", "-5"],
    ],
)
def test_misspelt_line_exits_with_usage(words: list[str]) -> None:
    answer = payorcrm_here(*words)

    assert answer.returncode == Exit.USAGE
    assert "usage: payorcrm" in answer.stderr


def test_serve_in_production_names_all_that_is_missing_and_does_not_start() -> None:
    answer = payorcrm("serve")

    assert answer.returncode == Exit.REFUSED
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "LINK_KEYS", "DATABASE_URL", "MAIL_FROM", "EMAIL_URL"):
        assert f"{name} is missing" in answer.stderr
    assert "must begin with https://" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("name", ["migrate", "check-books", "worker"])
def test_production_without_a_database_is_refused_in_one_line(name: str) -> None:
    answer = payorcrm(name)

    assert answer.returncode == Exit.REFUSED
    assert answer.stderr.startswith("payorcrm: DATABASE_URL is missing.")
    assert len(answer.stderr.splitlines()) == 1


def test_silent_database_is_unavailable() -> None:
    answer = payorcrm("migrate", DATABASE_URL="postgresql://payorcrm@127.0.0.1:9/payorcrm?connect_timeout=2")

    assert answer.returncode == Exit.UNAVAILABLE
    assert answer.stderr.startswith("payorcrm: The database does not answer")
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYORCRM_MODE", "holiday"),
        ("EMAIL_URL", "pigeon://post"),
        ("DATABASE_URL", "mysql://elsewhere/payorcrm"),
        ("DATABASE_POOL_SIZE", "many"),
    ],
)
def test_setting_that_is_not_understood_is_named_without_a_traceback(name: str, value: str) -> None:
    answer = payorcrm("check-books", **{name: value})

    assert answer.returncode == Exit.REFUSED
    assert "Traceback" not in answer.stderr
    assert answer.stderr.startswith("payorcrm: ")


def test_import_of_a_missing_file_is_refused() -> None:
    answer = payorcrm_here("import", "customers", "/nowhere/customers.csv")

    assert answer.returncode == Exit.REFUSED
    assert answer.stderr == "payorcrm: There is no file /nowhere/customers.csv.\n"
