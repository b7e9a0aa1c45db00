"""A merchant's own mail server sends that merchant's mails, and what goes wrong with it is that merchant's alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from payorcrm.core import clock
from payorcrm.mail.compose import queue_mail
from payorcrm.mail.deliver import OWN_BATCH_SIZE, deliver_own
from payorcrm.mail.models import Mail, MailSender, MailState
from payorcrm.mail.own_server import RESTS, senders_with_mail
from tests.factories.models import NOW, MerchantFactory
from tests.factories.outbox import NOTE, deliver, queued
from tests.factories.own_server import own_sender
from tests.factories.smtp import HANG_UP, ScriptedServer
from tests.mail.test_check_server import talker

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> Iterator[ScriptedServer]:
    """The server of a merchant."""
    started = ScriptedServer()
    yield started
    started.stop()


def send_own(sender: MailSender, at: datetime = NOW) -> bool:
    sender.refresh_from_db()
    return deliver_own(sender, clock=lambda: at, until=at + timedelta(minutes=1))


def test_each_merchants_mails_leave_by_their_own_door(server: ScriptedServer, own: ScriptedServer) -> None:
    sender = own_sender(own, from_name="Harbor Billing")
    mine = [queued(f"jo{n}@acme.example", merchant=sender.merchant) for n in range(3)]
    queued("other@acme.example", merchant=MerchantFactory())
    queued("nobodys@acme.example")

    deliver()
    assert server.recipients == ["other@acme.example", "nobodys@acme.example"]
    send_own(sender)

    assert own.recipients == ["jo0@acme.example", "jo1@acme.example", "jo2@acme.example"]
    assert own.connection_count == 1
    address = own.mails[0]["From"].addresses[0]
    assert (address.display_name, address.addr_spec) == ("Harbor Billing", "us@harbor.example")
    assert own.mails[0]["Message-ID"] == f"<{mine[0].id}@harbor.example>"
    assert server.mails[0]["From"].addresses[0].addr_spec == "billing@payorcrm.example"


def test_a_name_without_a_server_changes_the_name_alone(server: ScriptedServer) -> None:
    sender = own_sender(None, uses_own_server=False, from_name="Harbor Billing")
    queued(merchant=sender.merchant)

    deliver()

    address = server.mails[0]["From"].addresses[0]
    assert (address.display_name, address.addr_spec) == ("Harbor Billing", "billing@payorcrm.example")


def test_a_server_that_is_away_holds_up_its_own_mails_alone_and_they_say_why(server: ScriptedServer) -> None:
    sender = own_sender(None)
    mine = [queued(f"jo{n}@acme.example", merchant=sender.merchant) for n in range(3)]
    other = queued("other@acme.example")

    send_own(sender)
    deliver()

    other.refresh_from_db()
    assert other.state == MailState.SENT
    for mail in mine:
        mail.refresh_from_db()
        assert "127.0.0.1:1 cannot be reached" in mail.last_error
    sender.refresh_from_db()
    assert sender.failing_since == NOW
    assert "cannot be reached" in sender.failure
    assert senders_with_mail(now=NOW + RESTS[0] - timedelta(seconds=1)) == []
    assert senders_with_mail(now=NOW + RESTS[0]) == [sender.id]


def test_a_server_that_says_what_no_text_can_be_rests_like_any_other() -> None:
    with talker(iter([b"554 go\0away\r\n"])) as port:
        sender = own_sender(None, port=port)
        queued(merchant=sender.merchant)
        send_own(sender)

    sender.refresh_from_db()
    assert "go\ufffdaway" in sender.failure
    assert senders_with_mail(now=NOW) == []


def test_a_server_that_is_back_sends_each_mail_once_and_counts_as_well(own: ScriptedServer) -> None:
    sender = own_sender(None)
    queued(merchant=sender.merchant)
    send_own(sender)
    MailSender.objects.update(port=own.port)

    for minutes in (2, 3, 4):
        send_own(sender, NOW + timedelta(minutes=minutes))

    assert own.recipients == ["jo@acme.example"]
    sender.refresh_from_db()
    assert (sender.failing_since, sender.failure, sender.rests_until) == (None, "", None)


def test_a_line_that_breaks_in_the_middle_loses_no_mail_and_sends_none_twice(own: ScriptedServer) -> None:
    sender = own_sender(own)
    mails = [queued(f"jo{n}@acme.example", merchant=sender.merchant) for n in range(3)]
    own.at_recipient["jo1@acme.example"] = [HANG_UP]

    send_own(sender)
    send_own(sender, NOW + timedelta(minutes=2))

    assert sorted(own.recipients) == [f"jo{n}@acme.example" for n in range(3)]
    for mail in mails:
        mail.refresh_from_db()
        assert mail.state == MailState.SENT


def test_a_server_that_takes_its_time_over_a_message_gets_it_once(own: ScriptedServer, monkeypatch) -> None:
    monkeypatch.setattr("payorcrm.mail.models.SECONDS_FOR_OWN_SERVER", 0.2)
    own.seconds_to_answer = 0.4
    sender = own_sender(own)
    mail = queued(merchant=sender.merchant)

    for minutes in (0, 2):
        send_own(sender, NOW + timedelta(minutes=minutes))

    mail.refresh_from_db()
    assert (mail.state, own.recipients) == (MailState.SENT, ["jo@acme.example"])


def test_a_server_that_hangs_over_a_message_is_left_alone_for_a_while(own: ScriptedServer, monkeypatch) -> None:
    monkeypatch.setattr("payorcrm.mail.transport.SECONDS_TO_TAKE_OVER", 0.2)
    own.seconds_to_answer = 0.6
    sender = own_sender(own)
    mails = [queued(f"jo{n}@acme.example", merchant=sender.merchant) for n in range(3)]

    send_own(sender)

    assert own.recipients == ["jo0@acme.example"]
    sender.refresh_from_db()
    assert sender.rests_until == NOW + RESTS[0]
    for mail in mails:
        mail.refresh_from_db()
        assert "timed out" in mail.last_error


def test_a_servers_job_makes_way_for_others_before_all_is_sent(own: ScriptedServer) -> None:
    sender = own_sender(own)
    for n in range(OWN_BATCH_SIZE + 5):
        queued(f"jo{n}@acme.example", merchant=sender.merchant)

    is_more = deliver_own(sender, clock=lambda: NOW, until=NOW)

    assert is_more
    assert len(own.recipients) == OWN_BATCH_SIZE
    assert Mail.objects.filter(state=MailState.QUEUED, attempt_count=0).count() == 5


def test_a_private_address_is_refused_at_sending_too(own: ScriptedServer, settings: Settings) -> None:
    settings.MERCHANT_MAIL_NETWORKS = []
    sender = own_sender(own)
    mail = queued(merchant=sender.merchant)

    send_own(sender)

    mail.refresh_from_db()
    assert own.connection_count == 0
    assert "is not an address for mail servers here" in mail.last_error


def test_queueing_makes_one_job_for_each_server_and_it_sends(server: ScriptedServer, own: ScriptedServer) -> None:
    sender = own_sender(own)
    for n in range(3):
        queue_mail(
            kind=NOTE,
            about_id=None,
            merchant=sender.merchant,
            customer_id=None,
            to_address=f"jo{n}@acme.example",
            now=clock.now(),
        )

    for waiting in ProcrastinateJob.objects.filter(task_name__endswith=".deliver"):
        app.tasks[waiting.task_name](**waiting.args)
    (job,) = ProcrastinateJob.objects.filter(task_name__endswith=".deliver_own")
    app.tasks[job.task_name](**job.args)

    assert len(own.recipients) == 3
    assert not server.recipients


def test_without_a_server_of_the_installation_own_mails_are_not_told_to_wait(settings: Settings) -> None:
    settings.MAIL_SERVER = {}
    mine, other = queued(merchant=own_sender(None).merchant), queued()

    deliver()

    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.last_error, bool(other.last_error)) == ("", True)
