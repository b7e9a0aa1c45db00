"""Run a worker: sends mails, asks processors about open payments, applies their events. Run as many as you like."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened
from payorcrm.commands.lifeline import hold_lifeline

if TYPE_CHECKING:
    from procrastinate import App

HEARTBEAT_SECONDS = 3
DEAD_AFTER_SECONDS = 15
SUMMARY = "run a worker for the background jobs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many jobs at once."""
    parser.add_argument("--concurrency", type=int, default=4, help="how many jobs run at once (default: %(default)s)")


def run(arguments: argparse.Namespace) -> Exit:
    """Work until told to stop; jobs under way get ten seconds to end."""
    with opened(), answering_database():
        from payorcrm.core.checks import refuse_unsafe_settings

        refuse_unsafe_settings()
        hold_lifeline()
        asyncio.run(_work(arguments.concurrency))
    return Exit.OK


async def _work(concurrency: int) -> None:
    from django.conf import settings

    async with working_application() as application:
        rescue = asyncio.create_task(_rescue_from_time_to_time(application))
        # PgBouncer's transaction pooling passes no notifications on, so the worker looks more often itself.
        await application.run_worker_async(
            concurrency=concurrency,
            listen_notify=not settings.BEHIND_PGBOUNCER,
            fetch_job_polling_interval=0.5 if settings.BEHIND_PGBOUNCER else 1.0,
            shutdown_graceful_timeout=10,
            delete_jobs="successful",
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=DEAD_AFTER_SECONDS,
        )
        rescue.cancel()


@asynccontextmanager
async def working_application() -> "AsyncIterator[App]":
    """Open the application that knows all jobs, on an asynchronous connection of the worker's own."""
    from procrastinate.contrib.django import app

    worker_connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(worker_connector):
        async with app.open_async() as application:
            yield application


async def rescue_jobs_of_dead_workers(application: "App") -> None:
    """Give the jobs that a killed worker had begun to the living."""
    for job in await application.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
        await application.job_manager.retry_job(job)


async def _rescue_from_time_to_time(application: "App") -> None:
    while True:
        await rescue_jobs_of_dead_workers(application)
        await asyncio.sleep(HEARTBEAT_SECONDS)
