"""The worker: jobs enqueue within their own transaction, and a killed worker's jobs are not lost."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from payorcrm.commands.worker import places, rescue_jobs_of_dead_workers, until_one_ends, working_application
from payorcrm.core.jobs import enqueue, job
from payorcrm.mail.jobs import deliver
from payorcrm.mail.models import MailSender
from tests.factories.outbox import queued
from tests.factories.own_server import own_sender
from tests.factories.smtp import ScriptedServer

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


def test_merchants_servers_that_hang_hold_up_neither_the_installations_mails_nor_other_jobs(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    seen: list[tuple[list[str], int]] = []

    @job()
    def collect_money() -> None:
        done.append("collected")

    def story() -> None:
        for n in range(4):
            queued(f"jo{n}@acme.example", merchant=own_sender(None, port=hanging.getsockname()[1]).merchant)
        enqueue(deliver)  # which makes the jobs of the four servers
        wait_until(lambda: ProcrastinateJob.objects.filter(task_name__endswith=".deliver_own", status="doing").exists())
        queued("other@acme.example")
        enqueue(deliver)
        enqueue(collect_money)
        wait_until(lambda: bool(server.recipients and done))
        seen.append((list(server.recipients), MailSender.objects.filter(failing_since__isnull=False).count()))
        hanging.close()  # which breaks its connections

    monkeypatch.setattr("payorcrm.mail.models.SECONDS_FOR_OWN_SERVER", 60)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        work_while(story)

    assert done == ["collected"]
    assert seen == [(["other@acme.example"], 0)]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def work_while(story: Callable[[], None]) -> None:
    """Run a worker with two places, as the command does, until a story is told."""

    def tell() -> None:
        try:
            story()
        finally:
            connection.close()

    async def work() -> None:
        async with working_application() as application:
            await until_one_ends(*places(application, 2), asyncio.to_thread(tell))

    asyncio.run(work())
