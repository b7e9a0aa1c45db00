"""Background jobs: one wrapper around Procrastinate, whose queue is a table of the same database.

A job is enqueued in the transaction that caused it. Jobs carry ids and call one action.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import JobDeferrer
from procrastinate.manager import JobManager
from procrastinate.tasks import Task

from payorcrm.core.errors import Unavailable

# Jobs that wait for servers which a merchant named, as long as those please: workers have places apart for them.
OUTSIDE = "outside"

# A worker puts a connection of its own into the application, but what its jobs enqueue belongs to their transaction.
_OUR_CONNECTION = DjangoConnector()
_OUR_QUEUE = JobManager(_OUR_CONNECTION)

RETRY_LATER = RetryStrategy(max_attempts=8, wait=2, exponential_wait=3, retry_exceptions=[Unavailable])


def job(*, queue: str = "default", priority: int = 0) -> Callable[[Callable[..., Any]], Task[..., Any, Any]]:
    """Register a function as a job that is tried again, later and later, while it raises `Unavailable`."""
    return app.task(queue=queue, priority=priority, retry=RETRY_LATER)


def periodic(*, cron: str) -> Callable[[Task[..., Any, Any]], Task[..., Any, Any]]:
    """Run a job, with its `timestamp`, on a timetable in UTC: five cron fields, or six of which the last is seconds."""
    return app.periodic(cron=cron)


def enqueue(
    task: Task[..., Any, Any], *, at: datetime | None = None, lock: str | None = None, **ids: str | int
) -> None:
    """Put a job on the queue inside the current transaction; jobs that share `lock` run one after another."""
    _put(task.configure(schedule_at=at, lock=lock), ids)


def enqueue_named(name: str, **ids: str | int) -> None:
    """Put a job on the queue by its full name, for an action that the job itself imports."""
    _put(app.configure_task(name, allow_unknown=False), ids)


def enqueue_once(
    task: Task[..., Any, Any] | str, *, key: str, at: datetime | None = None, lock: str | None = None, **ids: str | int
) -> None:
    """Put a job on the queue, given as it is or by its full name, unless one with the same key already waits there.

    The key is a partial unique index; a transaction that enqueues at the same moment may win, which is as good.
    """
    waiting = _OUR_CONNECTION.execute_query_all(
        "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %(key)s AND status = 'todo'", key=key
    )
    if waiting:
        return
    configure = partial(app.configure_task, task, allow_unknown=False) if isinstance(task, str) else task.configure
    with suppress(AlreadyEnqueued), transaction.atomic():
        _put(configure(queueing_lock=key, schedule_at=at, lock=lock), ids)


def _put(deferrer: JobDeferrer, ids: Mapping[str, str | int]) -> None:
    deferrer.job_manager = _OUR_QUEUE
    deferrer.defer(**ids)
