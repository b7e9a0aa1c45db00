"""Every test: a real PostgreSQL, no sockets beyond this machine, and a clock that can be moved."""

import gc
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import hypothesis
import pytest
import time_machine
from pytest_django.plugin import DjangoDbBlocker

from tests.factories import database
from tests.factories.processor import merchant, other_database, sandbox, sandbox_database, sandbox_server, saved
from tests.factories.smtp import server
from tests.factories.template import hold_template, migrated_template

__all__ = ["merchant", "other_database", "sandbox", "sandbox_database", "sandbox_server", "saved", "server"]

# How long an example takes says how much else runs beside it, and nothing about the code.
hypothesis.settings.register_profile("beside_others", deadline=None)
hypothesis.settings.load_profile("beside_others")
ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the database before anything reads the settings; the workers of xdist inherit the choice."""
    # Migrations and factories make many objects that stay: looking through all of them again and again finds nothing.
    gc.set_threshold(50_000, 50, 50)
    os.environ["PAYORCRM_MODE"] = "test"
    os.environ.setdefault("PAYORCRM_VAR", str(ROOT / "var" / "test"))
    os.environ.setdefault("DATABASE_POOL_SIZE", "0")
    os.environ["PYTHONPATH"] = str(ROOT / "src")
    os.environ["DJANGO_SETTINGS_MODULE"] = "payorcrm.config.settings"
    if not hasattr(config, "workerinput"):
        os.environ.setdefault("TEST_RUN", str(os.getpid()))
        config.add_cleanup(database.provide(Path(os.environ["PAYORCRM_VAR"])))
        config.add_cleanup(hold_template())
    # Reading one setting loads them all, which tells pytest-django that this project is a Django one.
    from django.conf import settings

    assert settings.DATABASES
    # WhiteNoise warns of a folder that is not there, and warnings are errors.
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Let the databases of several workers be copies of one that was migrated; a single one is migrated itself."""
    if hasattr(request.config, "workerinput"):
        from django.db import connection

        connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template()


@pytest.fixture(autouse=True)
def empty_queue(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """After a test with real transactions, empty the queue, which Django's own flush passes over."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if (marker and marker.kwargs.get("transaction")) or "transactional_db" in request.fixturenames:
        from django.db import connection

        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture(scope="session", autouse=True)
def browser_ends() -> Iterator[None]:
    """After all tests of this process, end the browser that they shared."""
    yield
    from tests.factories.browsing import stop_browser

    stop_browser()


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A `var` folder of the test's own; an embedded server in it is ended and removed."""
    yield tmp_path / "var"
    database.remove(tmp_path / "var")


@pytest.fixture
def travel_to() -> Iterator[Callable[[datetime], None]]:
    """Return a function that moves the clock of this test to a moment, where it goes on ticking."""
    with_travel: list[time_machine.travel] = []

    def travel(moment: datetime) -> None:
        journey = time_machine.travel(moment, tick=True)
        journey.start()
        with_travel.append(journey)

    yield travel
    for journey in reversed(with_travel):
        journey.stop()
