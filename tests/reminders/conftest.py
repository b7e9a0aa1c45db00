"""A mail server for reminders to arrive at, and a customer whose rules are on."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.factories.smtp import ScriptedServer


@pytest.fixture
def server(settings: Settings) -> Iterator[ScriptedServer]:
    """A mail server that the settings point at."""
    started = ScriptedServer()
    settings.MAIL_SERVER = started.settings
    yield started
    started.stop()


@pytest.fixture
def ruled(db: None) -> Any:
    """A customer of a merchant in New York whose seven rules are on, at nine on every day."""
    from tests.factories.models import CustomerFactory  # Django is not set up while this file is read
    from tests.reminders.rules import set_schedule, switch_all_on

    customer = CustomerFactory()
    set_schedule(customer.merchant)
    switch_all_on(customer.merchant)
    return customer
