"""The worker: jobs enqueue within their own transaction, and a killed worker's jobs are not lost."""

import asyncio
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from payorcrm.commands.worker import rescue_jobs_of_dead_workers, working_application
from payorcrm.core.jobs import enqueue, job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def known_jobs() -> Iterator[None]:
    before = dict(app.tasks)
    yield
    app.tasks.clear()
    app.tasks.update(before)


def work_off_the_queue() -> None:
    async def work() -> None:
        async with working_application() as application:
            await application.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(work())


def rescue() -> None:
    async def work() -> None:
        async with working_application() as application:
            await rescue_jobs_of_dead_workers(application)

    asyncio.run(work())


def states() -> dict[str, str]:
    return {
        row.task_name.rsplit(".", 1)[1]: row.status
        for row in ProcrastinateJob.objects.filter(task_name__startswith="tests.")
    }


def test_job_that_fails_after_enqueueing_leaves_nothing_on_the_queue() -> None:
    @job()
    def follow_up() -> None: ...

    @job()
    def enqueue_and_fail() -> None:
        with transaction.atomic():
            enqueue(follow_up)
            raise ValueError("after enqueueing")

    enqueue(enqueue_and_fail)
    work_off_the_queue()

    assert states() == {"enqueue_and_fail": "failed"}


def test_job_that_enqueues_another_has_it_done_too() -> None:
    @job()
    def follow_up() -> None: ...

    @job()
    def enqueue_and_succeed() -> None:
        with transaction.atomic():
            enqueue(follow_up)

    enqueue(enqueue_and_succeed)
    work_off_the_queue()

    assert states() == {"follow_up": "succeeded", "enqueue_and_succeed": "succeeded"}


def test_job_of_a_killed_worker_is_done_by_another() -> None:
    @job()
    def long_one() -> None: ...

    enqueue(long_one)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id"
        )
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [cursor.fetchone()[0]])

    rescue()
    work_off_the_queue()

    assert states() == {"long_one": "succeeded"}


def test_job_of_a_living_worker_is_left_to_it() -> None:
    @job()
    def long_one() -> None: ...

    enqueue(long_one)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [cursor.fetchone()[0]])

    rescue()

    assert states() == {"long_one": "doing"}
