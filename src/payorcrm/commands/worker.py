"""Run a worker: sends mails, asks processors about open payments, applies their events. Run as many as you like."""

import argparse
import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import answering_database, opened
from payorcrm.commands.lifeline import hold_lifeline

if TYPE_CHECKING:
    from procrastinate import App

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 3
SECONDS_BETWEEN_BEGINNINGS = 2
DEAD_AFTER_SECONDS = 15
# For what else the event loop asks of threads, such as looking up names.
SPARE_THREADS = 2
SUMMARY = "run a worker for the background jobs"
HELP = "how many jobs run at once, and half as many beside that wait for merchants' mail servers (default: %(default)s)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many jobs at once; half as many places apart are for merchants' own mail servers."""
    parser.add_argument("--concurrency", type=int, default=4, help=HELP)


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
    async with working_application() as application:
        await until_one_ends(*places(application, concurrency), _rescue_from_time_to_time(application))


def places(application: "App", concurrency: int) -> "list[Coroutine[Any, Any, None]]":
    """Return what works on the queues: so many places, and half as many apart for merchants' own servers."""
    from payorcrm.core.jobs import OUTSIDE

    inside, apart = {task.queue for task in application.tasks.values()} - {OUTSIDE}, max(concurrency // 2, 1)
    # Each job has a thread; Python's own number of them follows from the processors.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency + apart + SPARE_THREADS))
    return [_work_on(application, sorted(inside), concurrency), _work_on(application, [OUTSIDE], apart)]


async def _work_on(application: "App", queues: list[str], concurrency: int) -> None:
    from django.conf import settings

    # PgBouncer's transaction pooling passes no notifications on, so the worker looks more often itself.
    await application.run_worker_async(
        queues=queues,
        concurrency=concurrency,
        listen_notify=not settings.BEHIND_PGBOUNCER,
        fetch_job_polling_interval=0.5 if settings.BEHIND_PGBOUNCER else 1.0,
        shutdown_graceful_timeout=10,
        delete_jobs="successful",
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=DEAD_AFTER_SECONDS,
        install_signal_handlers=False,
    )


async def until_one_ends(*parts: "Coroutine[Any, Any, None]") -> None:
    """Run all until one ends or this is cancelled; end the others and raise what went wrong."""
    running = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for part in running:
            part.cancel()
        outcomes = await asyncio.gather(*running, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


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
