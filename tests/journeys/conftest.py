"""Journeys: a person in a real browser on a running system. Rows that a journey makes stay, so each makes its own."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from tests.factories.chromium import ARGUMENTS, ensure_chromium
from tests.factories.inbox import Inbox
from tests.factories.system import RunningSystem, drop_database, fresh_database

MOST_PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def started_system() -> Iterator[RunningSystem]:
    """One system for all journeys of this run."""
    name = f"journeys_payorcrm_{os.getpid()}"
    url = fresh_database(name)
    subprocess.run([sys.executable, "-m", "payorcrm", "migrate"], env=os.environ | {"DATABASE_URL": url}, check=True)
    system = RunningSystem(url)
    yield system
    system.stop()
    drop_database(name)


@pytest.fixture
def system(
    started_system: RunningSystem, django_db_blocker: DjangoDbBlocker, settings: object
) -> Iterator[RunningSystem]:
    """The running system; meanwhile the models of the test read and write its database, without a transaction."""
    settings.PUBLIC_URL = started_system.url
    settings.SANDBOX_URL = started_system.processor_url
    connection.close()
    earlier = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = f"journeys_payorcrm_{os.getpid()}"
    with django_db_blocker.unblock():
        yield started_system
        connection.close()
    connection.settings_dict["NAME"] = earlier


@pytest.fixture
def inbox(system: RunningSystem) -> Inbox:
    """The mail that the system has sent to anybody."""
    return system.inbox


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys."""
    expect.set_options(timeout=MOST_PATIENCE_MS)
    with sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django takes for an asynchronous caller.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        opened = playwright.chromium.launch(executable_path=ensure_chromium(), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def context(browser: Browser, system: RunningSystem) -> Iterator[BrowserContext]:
    """A browser profile of its own: no cookies of anybody else."""
    opened = browser.new_context(base_url=system.url, viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(MOST_PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of that profile."""
    return context.new_page()
