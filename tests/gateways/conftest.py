"""A processor for each configured gateway. A new one brings a fixture `<name>_kit`, and is run through the contract."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.factories.sandbox import Sandbox, running_sandbox
from tests.gateways.kit import Kit
from tests.gateways.sandbox.kit import SandboxKit


@contextmanager
def _empty_database(name: str) -> Iterator[str]:
    server = make_conninfo(os.environ["DATABASE_URL"], dbname="postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield make_conninfo(server, dbname=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def sandbox_database() -> Iterator[str]:
    """Return the address of an empty database that only the shared processor uses."""
    with _empty_database(f"sandbox_payorcrm_{os.getpid()}") as url:
        yield url


@pytest.fixture
def other_database() -> Iterator[str]:
    """Return the address of an empty database for a processor of the test's own."""
    with _empty_database(f"sandbox_payorcrm_{os.getpid()}_gw0") as url:
        yield url


@pytest.fixture(scope="session")
def sandbox_server(sandbox_database: str) -> Iterator[Sandbox]:
    """Run one processor for all tests of this process."""
    with running_sandbox(sandbox_database) as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: Sandbox, settings: pytest.FixtureRequest) -> Sandbox:
    """Point the settings at the running processor, with a deadline shorter than its silence."""
    settings.SANDBOX_URL = sandbox_server.url
    settings.SANDBOX_ADMIN_KEY = sandbox_server.admin_key
    settings.GATEWAY_TIMEOUT_SECONDS = 1.5
    return sandbox_server


@pytest.fixture
def sandbox_kit(sandbox: Sandbox, sandbox_database: str, settings: pytest.FixtureRequest) -> SandboxKit:
    """Return the sandbox's kit for the contract, on an account of its own."""
    return SandboxKit.on_a_new_account(sandbox_database, settings)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for a kit with that of every configured gateway."""
    if "kit" in metafunc.fixturenames:
        # Read here, for this file may be imported before the settings are chosen.
        from django.conf import settings

        metafunc.parametrize("kit", sorted(settings.PAYMENT_GATEWAYS), indirect=True)


@pytest.fixture
def kit(request: pytest.FixtureRequest) -> Kit:
    """Return each configured gateway's kit in turn."""
    return request.getfixturevalue(f"{request.param}_kit")
