"""A mail server for statements to arrive at."""

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
