"""A kit for each configured gateway. A new one brings a fixture `<name>_kit`, and is run through the contract."""

import pytest

from tests.gateways.kit import Kit
from tests.gateways.sandbox.kit import SandboxKit


@pytest.fixture
def sandbox_kit(sandbox: object, sandbox_database: str, settings: pytest.FixtureRequest) -> SandboxKit:
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
