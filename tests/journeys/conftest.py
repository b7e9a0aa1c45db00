"""Journeys: a person in a real browser on a running system. Rows that a journey makes stay, so each makes its own."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from tests.factories.chromium import ARGUMENTS, ensure_chromium
from tests.factories.inbox import Inbox
from tests.factories.system import RunningSystem, drop_database, fresh_database
from tests.factories.template import migrated_template
from tests.journeys.person import Person, expect_payment, watch

if TYPE_CHECKING:
    from payorcrm.payments.models import Payment
    from tests.factories.journey import Business

MOST_PATIENCE_MS = 40_000
# Longer than the product waits for an answer, so that the cards that time out do.
HANGS = {"SANDBOX_HANG_SECONDS": "4"}


@pytest.fixture(scope="session")
def started_system() -> Iterator[RunningSystem]:
    """One system for all journeys of this run."""
    name = f"journeys_payorcrm_{os.getpid()}"
    system = RunningSystem(fresh_database(name, template=migrated_template()), **HANGS)
    yield system
    system.stop()
    drop_database(name)


@pytest.fixture
def system(started_system: RunningSystem, django_db_blocker: DjangoDbBlocker, settings: Any) -> Iterator[RunningSystem]:
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
def new_profile(browser: Browser, system: RunningSystem) -> Iterator[Callable[..., BrowserContext]]:
    """Return a function that opens a browser profile without anybody's cookies; nothing in it may complain."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(*, width: int = 1280, height: int = 900, **options: Any) -> BrowserContext:
        context = browser.new_context(base_url=system.url, viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(MOST_PATIENCE_MS)
        watch(context, complaints)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def context(new_profile: Callable[..., BrowserContext]) -> BrowserContext:
    """A browser profile of its own: no cookies of anybody else."""
    return new_profile()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of that profile."""
    return context.new_page()


@pytest.fixture
def person(page: Page) -> Person:
    """Somebody who sits in front of that tab."""
    return Person(page)


@pytest.fixture
def other_person(new_profile: Callable[..., BrowserContext]) -> Person:
    """Somebody in front of another browser."""
    return Person(new_profile().new_page())


@pytest.fixture
def both_views_show(new_profile: Callable[..., BrowserContext], system: RunningSystem) -> Callable[..., None]:
    """Return a function that expects a payment with a status in the customer's view and in the merchant's."""

    from tests.factories.journey import session_of

    def show(business: "Business", payment: "Payment", status: str) -> None:
        for user, address in (
            (business.payer, "/portal/payments/"),
            (business.owner, f"/m/{business.merchant.slug}/payments/"),
        ):
            context = new_profile()
            context.add_cookies([{"name": "session", "value": session_of(user), "url": system.url}])
            expect_payment(Person(context.new_page()), address, payment, status)
            context.close()

    return show
