"""Run a worker: sends mails, asks processors about open payments, applies their events. Run as many as you like."""

import argparse
import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened
from payorcrm.commands.lifeline import hold_lifeline

if TYPE_CHECKING:
    from procrastinate import App

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 3
SECONDS_BETWEEN_BEGINNINGS = 2
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
    """Work until a signal says stop; when the database goes away, begin again as soon as it is back."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    waiting = asyncio.create_task(told_to_stop.wait())
    while not told_to_stop.is_set():
        working = asyncio.create_task(_work_until_trouble(concurrency))
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if told_to_stop.is_set():
            working.cancel()  # which lets the jobs under way come to their end
        (trouble,) = await asyncio.gather(working, return_exceptions=True)
        if not told_to_stop.is_set():
            log.warning("The worker lost the database and begins again: %s", trouble or "a side task failed")
            await asyncio.wait({waiting}, timeout=SECONDS_BETWEEN_BEGINNINGS)


async def _work_until_trouble(concurrency: int) -> None:
    from django.conf import settings

    async with working_application() as application:
        rescue = asyncio.create_task(_rescue_from_time_to_time(application))
        try:
            # PgBouncer's transaction pooling passes no notifications on, so the worker looks more often itself.
            await application.run_worker_async(
                concurrency=concurrency,
                listen_notify=not settings.BEHIND_PGBOUNCER,
                fetch_job_polling_interval=0.5 if settings.BEHIND_PGBOUNCER else 1.0,
                shutdown_graceful_timeout=10,
                delete_jobs="successful",
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=DEAD_AFTER_SECONDS,
                install_signal_handlers=False,
            )
        finally:
            rescue.cancel()
            await asyncio.gather(rescue, return_exceptions=True)


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
