"""What becomes of the mails of a worker that was killed: none goes out twice, none is lost without a word."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from payorcrm.mail.claim import WayOut
from payorcrm.mail.drafts import after_sending
from payorcrm.mail.hand_over import Notebook
from payorcrm.mail.models import Handover, Mail, MailState
from payorcrm.mail.release import IN_DOUBT, NOT_SENT, release_stuck
from payorcrm.mail.transport import Outgoing
from tests.factories.models import NOW
from tests.factories.outbox import deliver, queued
from tests.factories.smtp import ScriptedServer

LATER = NOW + timedelta(hours=1)
# What a worker does, at a clock that is some hours ahead, so that the claims of the one before are old.
WORKER = """
import sys
from datetime import timedelta

import django

django.setup()
from payorcrm.core import clock
from payorcrm.mail.deliver import deliver_due
from tests.factories import outbox

ahead = timedelta(hours=int(sys.argv[1]))
deliver_due(clock=lambda: clock.now() + ahead, until=clock.now() + ahead + timedelta(minutes=5))
"""


def state_of(mail: Mail) -> str:
    mail.refresh_from_db()
    return mail.state


def start_worker(server: ScriptedServer, hours_ahead: int) -> "subprocess.Popen[bytes]":
    parts = connection.get_connection_params()
    words = {key: parts[key] for key in ("dbname", "user", "password", "host", "port") if parts.get(key)}
    environment = {
        "DATABASE_URL": make_conninfo(**words),
        "EMAIL_URL": f"smtp://127.0.0.1:{server.port}?insecure=1",
        "PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(Path(__file__).parents[2])]),
    }
    return subprocess.Popen([sys.executable, "-c", WORKER, str(hours_ahead)], env=os.environ | environment)


def kill_after(worker: "subprocess.Popen[bytes]", server: ScriptedServer, mail_count: int) -> None:
    deadline = time.monotonic() + 60
    while len(server.raw) < mail_count:
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline, "the worker sends nothing"
        time.sleep(0.001)
    worker.send_signal(signal.SIGKILL)
    worker.wait()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_again_and_again_sends_no_mail_twice(server: ScriptedServer) -> None:
    mails = [queued(f"jo{place}@acme.example", is_bulk=True) for place in range(400)]
    kills = [7, 58, 104, 190, 263, 301]

    for hours_ahead, mail_count in enumerate(kills, start=1):
        kill_after(start_worker(server, hours_ahead), server, mail_count)
    last = start_worker(server, len(kills) + 1)

    assert last.wait(timeout=60) == 0
    arrived = Counter(str(mail["Message-ID"]) for mail in server.mails)
    assert set(arrived.values()) == {1}
    states = dict(Mail.objects.values_list("id", "state"))
    sent = {f"<{mail_id}@payorcrm.example>" for mail_id, state in states.items() if state == MailState.SENT}
    assert sent <= set(arrived)
    in_doubt = Mail.objects.filter(state=MailState.FAILED)
    assert {mail.last_error for mail in in_doubt} <= {IN_DOUBT}
    assert len(in_doubt) <= len(kills)
    assert len(sent) + len(in_doubt) == len(mails)
    # Only its own: notes are written on a connection apart, so those of tests that roll back stay.
    assert not Handover.objects.filter(line__isnull=False, mail_id__in=states).exists()


def claimed_by_a_dead_worker(count: int) -> list[Mail]:
    for place in range(count):
        queued(f"jo{place}@acme.example")
    return WayOut().claim(now=NOW)


def written(mail: Mail, subject: str = "") -> Outgoing:
    return Outgoing(mail.id, mail.to_address, subject, b"")


@pytest.mark.django_db
def test_only_what_was_not_handed_over_is_sent_again(server: ScriptedServer) -> None:
    followed: list[UUID] = []
    after_sending("test_note")(lambda mail_ids, now: followed.extend(mail_ids))
    taken, refused, in_doubt, untouched = claimed_by_a_dead_worker(4)
    with closing(Notebook()) as notebook:
        notebook.note(taken, written(taken, "What it was about"), NOW)
        notebook.note(refused, written(refused), NOW)
        notebook.answered(refused, was_taken=False)
        notebook.note(in_doubt, written(in_doubt), NOW)

    release_stuck(now=LATER)

    assert [state_of(mail) for mail in (taken, refused, in_doubt, untouched)] == [
        MailState.SENT, MailState.DEFERRED, MailState.FAILED, MailState.DEFERRED
    ]  # fmt: skip
    assert (taken.subject, in_doubt.last_error, untouched.last_error) == ("What it was about", IN_DOUBT, NOT_SENT)
    assert followed == [taken.id]
    deliver(LATER)
    assert server.recipients == [refused.to_address, untouched.to_address]


@pytest.mark.django_db
def test_the_last_mail_of_a_line_counts_as_sent_when_its_answer_was_noted() -> None:
    (mail,) = claimed_by_a_dead_worker(1)
    with closing(Notebook()) as notebook:
        notebook.note(mail, written(mail), NOW)
        notebook.answered(mail, was_taken=True)

    release_stuck(now=LATER)

    assert state_of(mail) == MailState.SENT


@pytest.mark.django_db
def test_lines_of_two_workers_do_not_speak_for_each_other() -> None:
    first, second = claimed_by_a_dead_worker(2)
    with closing(Notebook()) as one, closing(Notebook()) as other:
        one.note(first, written(first), NOW)
        other.note(second, written(second), NOW)

    release_stuck(now=LATER)

    assert [state_of(mail) for mail in (first, second)] == [MailState.FAILED, MailState.FAILED]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_wakes_up_too_late_may_not_hand_its_mails_over() -> None:
    (mail,) = claimed_by_a_dead_worker(1)

    release_stuck(now=LATER)

    with closing(Notebook()) as notebook:
        notebook.note(mail, written(mail), LATER)
        assert not notebook.is_noted()
    assert state_of(mail) == MailState.DEFERRED


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_another_worker_took_over_is_not_sent(server: ScriptedServer) -> None:
    mail = queued()
    Handover.objects.create(mail_id=mail.id, claimed_at=NOW, begun_at=NOW)

    deliver()

    assert server.recipients == []
    assert state_of(mail) == MailState.DEFERRED


@pytest.mark.django_db
def test_claims_that_are_young_are_left_alone() -> None:
    (mail,) = claimed_by_a_dead_worker(1)

    release_stuck(now=NOW + timedelta(minutes=9))

    assert state_of(mail) == MailState.SENDING
