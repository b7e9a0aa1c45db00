"""A mail server for the tests of the outbox, and composers for invented kinds of mail."""

from collections.abc import Iterator

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
