"""A mailbox that can be visited, and a processor that really runs."""

from typing import Any

import pytest


@pytest.fixture
def demo_mode(db: None, settings: Any) -> None:
    """Make this a demo for the pages: with the mailbox, and the strip that leads to it."""
    settings.IS_DEMO = True
    settings.ROOT_URLCONF = "tests.demo.urls"
