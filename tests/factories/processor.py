"""Fixtures of the running sandbox processor, in one module for all tests: one processor serves them all."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.factories.sandbox import Sandbox, running_sandbox


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
    with _empty_database(f"sandbox_payorcrm_{os.getpid()}_{secrets.token_hex(4)}") as url:
        yield url


@pytest.fixture
def other_database() -> Iterator[str]:
    """Return the address of an empty database for a processor of the test's own."""
    with _empty_database(f"sandbox_payorcrm_{os.getpid()}_{secrets.token_hex(4)}") as url:
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
def merchant(db: None, sandbox: Sandbox) -> Any:
    """A merchant with an account at the running processor."""
    from tests.payments.kit import merchant_at_the_sandbox

    return merchant_at_the_sandbox()


@pytest.fixture
def saved(merchant: Any) -> Callable[..., Any]:
    """Return a function that saves a card or, with `bank=True`, an account by its test number."""
    from tests.payments.kit import save_method

    def save(number: str = "4000000050000027", *, customer: Any = None, bank: bool = False) -> Any:
        return save_method(merchant, number, customer=customer, bank=bank)

    return save
