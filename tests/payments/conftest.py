"""A merchant whose processor really runs. Models are imported late: this file may be read before the settings."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.gateways.conftest import sandbox, sandbox_database, sandbox_server

__all__ = ["sandbox", "sandbox_database", "sandbox_server"]


@pytest.fixture
def merchant(db: None, sandbox: object) -> Any:
    """A merchant with an account at the running sandbox processor."""
    from tests.payments.kit import merchant_at_the_sandbox

    return merchant_at_the_sandbox()


@pytest.fixture
def saved(merchant: Any) -> Callable[..., Any]:
    """Return a function that saves a card or, with `bank=True`, an account by its test number."""
    from tests.payments.kit import save_method

    def save(number: str = "4000000050000027", *, customer: Any = None, bank: bool = False) -> Any:
        return save_method(merchant, number, customer=customer, bank=bank)

    return save
