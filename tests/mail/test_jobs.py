"""Delivery by jobs, with real transactions and a real queue."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from payorcrm.core import clock
from payorcrm.mail.claim import WayOut
from payorcrm.mail.compose import queue_mail
from payorcrm.mail.jobs import deliver, deliver_soon, sweep_outbox
from payorcrm.mail.models import Mail, MailState
from tests.factories.outbox import NOTE, queued
from tests.factories.smtp import ScriptedServer


@pytest.mark.django_db
def test_the_job_of_a_queued_mail_sends_it(server: ScriptedServer) -> None:
    queue_mail(kind=NOTE, about_id=None, merchant=None, customer_id=None, to_address="jo@acme.example", now=clock.now())

    waiting = ProcrastinateJob.objects.get()
    app.tasks[waiting.task_name](**waiting.args)

    assert server.recipients == ["jo@acme.example"]
    assert Mail.objects.get().state == MailState.SENT


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_claim_the_same_mail() -> None:
    for place in range(60):
        queued(f"jo{place}@acme.example")

    def claim_some(_: int) -> list[object]:
        mails = WayOut(limit=10).claim(now=clock.now())
        connection.close()
        return [mail.id for mail in mails]

    with ThreadPoolExecutor(6) as threads:
        claimed = [mail_id for mail_ids in threads.map(claim_some, range(6)) for mail_id in mail_ids]

    assert len(claimed) == len(set(claimed)) == 60


@pytest.mark.django_db
def test_each_mail_brings_a_job_of_its_own() -> None:
    deliver_soon()
    deliver_soon()

    assert ProcrastinateJob.objects.filter(task_name=deliver.name, status="todo").count() == 2


@pytest.mark.django_db
def test_the_sweep_sends_what_was_left(server: ScriptedServer) -> None:
    queued()

    sweep_outbox(timestamp=0)

    assert server.recipients == ["jo@acme.example"]
