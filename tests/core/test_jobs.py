"""A job exists when the transaction that caused it does, and waits once under one key."""

import pytest
from django.db import connection, transaction

from payorcrm.core.jobs import enqueue, enqueue_once, job


@job()
def note_a_number(number: int) -> None:
    """Stand for any job; these tests only look at the queue."""


def waiting():
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name LIKE '%note_a_number' ORDER BY id")
        return [args["number"] if isinstance(args, dict) else args for (args,) in cursor.fetchall()]


class Stopped(Exception):
    """Something went wrong after a job was enqueued."""


@pytest.mark.django_db(transaction=True)
def test_a_job_is_gone_when_its_transaction_is_rolled_back():
    def enqueue_and_stop() -> None:
        with transaction.atomic():
            enqueue(note_a_number, number=1)
            raise Stopped

    with pytest.raises(Stopped):
        enqueue_and_stop()

    assert waiting() == []


@pytest.mark.django_db(transaction=True)
def test_a_job_waits_when_its_transaction_is_committed():
    with transaction.atomic():
        enqueue(note_a_number, number=1)

    assert len(waiting()) == 1


@pytest.mark.django_db(transaction=True)
def test_one_key_waits_once():
    enqueue_once(note_a_number, key="the-same", number=1)
    enqueue_once(note_a_number, key="the-same", number=2)
    enqueue_once(note_a_number, key="another", number=3)

    assert len(waiting()) == 2


@pytest.mark.django_db(transaction=True)
def test_a_key_that_waits_already_does_not_spoil_the_transaction():
    with transaction.atomic():
        enqueue_once(note_a_number, key="the-same", number=1)
        enqueue_once(note_a_number, key="the-same", number=2)
        enqueue(note_a_number, number=3)

    assert len(waiting()) == 2
