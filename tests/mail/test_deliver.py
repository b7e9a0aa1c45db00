"""What becomes of mails: sent, tried again, given up, bounced, withdrawn, and after a worker was killed."""

from contextlib import closing
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from payorcrm.core.errors import Inconsistent
from payorcrm.mail.claim import WayOut
from payorcrm.mail.deliver import NO_SERVER, Delivery
from payorcrm.mail.drafts import Draft, Unsendable, after_sending, composer
from payorcrm.mail.models import MAIL_TRANSITIONS, Mail, MailboxMessage, MailState
from payorcrm.mail.record import MAX_ATTEMPTS, RETRY_AFTER, Result, record, retry_at
from payorcrm.mail.transport import Answer, SmtpTransport
from tests.factories.models import NOW, MerchantFactory
from tests.factories.outbox import deliver, queued
from tests.factories.smtp import HANG_UP, ScriptedServer

pytestmark = pytest.mark.django_db


def state_of(mail: Mail) -> str:
    mail.refresh_from_db()
    return mail.state


def test_mails_go_out_over_one_connection(server: ScriptedServer) -> None:
    mails = [queued(f"jo{place}@acme.example", to_name=f"Jo {place}") for place in range(3)]

    deliver()

    assert [mail["Subject"] for mail in server.mails] == ["A note for Jo 0", "A note for Jo 1", "A note for Jo 2"]
    assert server.connection_count == 1
    assert {state_of(mail) for mail in mails} == {MailState.SENT}
    assert mails[0].sent_at == NOW
    assert mails[0].subject == "A note for Jo 0"


def test_a_mail_says_from_whom_it_is_and_whom_to_answer(server: ScriptedServer) -> None:
    merchant = MerchantFactory(name='Müller "& Sons"', reply_to="books@mueller.example")
    mail = queued(merchant=merchant)

    deliver()

    (sent,) = server.mails
    assert sent["From"].addresses[0].display_name == 'Müller "& Sons"'
    assert sent["From"].addresses[0].addr_spec == "billing@payorcrm.example"
    assert sent["Reply-To"] == "books@mueller.example"
    assert sent["Message-ID"] == f"<{mail.id}@payorcrm.example>"


def test_a_mail_with_a_later_date_waits(server: ScriptedServer) -> None:
    mail = queued(send_after=NOW + timedelta(hours=1))

    deliver()
    assert state_of(mail) == MailState.QUEUED
    deliver(NOW + timedelta(hours=1))

    assert state_of(mail) == MailState.SENT


def test_a_single_mail_overtakes_a_run(server: ScriptedServer) -> None:
    queued("run@acme.example", is_bulk=True)
    queued("single@acme.example")

    deliver()

    assert server.recipients == ["single@acme.example", "run@acme.example"]


def test_a_mail_that_is_not_needed_any_more_is_withdrawn(server: ScriptedServer) -> None:
    mail = queued(to_name="nobody")

    deliver()

    assert state_of(mail) == MailState.WITHDRAWN
    assert server.mails == []


def test_a_temporary_refusal_is_tried_again_later(server: ScriptedServer) -> None:
    server.at_recipient["jo@acme.example"] = ["451 4.7.1 Greylisted, come back"]
    mail, other = queued(), queued("other@acme.example")

    deliver()
    assert state_of(mail) == MailState.DEFERRED
    assert mail.send_after == NOW + timedelta(minutes=1)
    assert "451 4.7.1 Greylisted" in mail.last_error
    deliver(NOW + timedelta(minutes=1))

    assert state_of(mail) == MailState.SENT
    assert mail.last_error == ""
    assert server.recipients == ["other@acme.example", "jo@acme.example"]
    assert state_of(other) == MailState.SENT


def test_a_message_refused_for_now_is_tried_again_with_the_same_message_id(server: ScriptedServer) -> None:
    server.at_message["jo@acme.example"] = ["452 4.3.1 Disk full"]
    mail = queued()

    deliver()
    deliver(NOW + timedelta(hours=1))

    assert [sent["Message-ID"] for sent in server.mails] == [f"<{mail.id}@payorcrm.example>"]
    assert mail.attempt_count == 0
    assert state_of(mail) == MailState.SENT
    assert mail.attempt_count == 2


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("550 5.1.1 No such user", MailState.BOUNCED),
        ("550 5.1.2 No such domain", MailState.BOUNCED),
        ("550 5.7.1 Not welcome", MailState.FAILED),
        ("554 Transaction failed", MailState.FAILED),
    ],
)
def test_a_final_refusal_ends_the_mail_and_no_other(server: ScriptedServer, answer: str, state: str) -> None:
    server.at_recipient["jo@acme.example"] = [answer]
    mail, other = queued(), queued("other@acme.example")

    deliver()

    assert state_of(mail) == state
    assert answer in mail.last_error
    assert state_of(other) == MailState.SENT
    assert server.connection_count == 1


def test_an_answer_that_the_database_cannot_hold_is_recorded_without_it(server: ScriptedServer) -> None:
    server.at_recipient["jo@acme.example"] = ["550 5.7.1 Not\0welcome"]
    mail, other = queued(), queued("other@acme.example")

    deliver()

    assert state_of(mail) == MailState.FAILED
    assert "Not\ufffdwelcome" in mail.last_error
    assert state_of(other) == MailState.SENT


def test_a_message_refused_for_good_has_failed(server: ScriptedServer) -> None:
    server.at_message["jo@acme.example"] = ["554 5.7.1 Looks like spam"]
    mail = queued()

    deliver()

    assert state_of(mail) == MailState.FAILED
    assert "Looks like spam" in mail.last_error


def test_a_sender_that_is_not_accepted_is_our_mistake_and_waits_for_us(server: ScriptedServer) -> None:
    server.at_sender = ["553 5.7.1 Sender not allowed"]
    mail, other = queued(), queued("other@acme.example")

    deliver()

    assert state_of(mail) == MailState.DEFERRED
    assert "does not accept our sender address" in mail.last_error
    assert state_of(other) == MailState.SENT


def test_a_connection_that_breaks_in_the_middle_loses_no_mail(server: ScriptedServer) -> None:
    server.at_message["jo1@acme.example"] = [HANG_UP]
    mails = [queued(f"jo{place}@acme.example") for place in range(4)]

    deliver()

    assert [state_of(mail) for mail in mails] == [MailState.SENT, MailState.DEFERRED, MailState.SENT, MailState.SENT]
    assert "connection to the mail server broke" in mails[1].last_error
    assert server.connection_count == 2


def test_a_connection_that_the_server_closed_between_two_mails_is_opened_again(server: ScriptedServer) -> None:
    server.at_recipient["jo1@acme.example"] = [HANG_UP]
    mails = [queued(f"jo{place}@acme.example") for place in range(3)]

    deliver()

    assert {state_of(mail) for mail in mails} == {MailState.SENT}
    assert server.connection_count == 2


def test_a_server_that_wants_a_rest_is_asked_on_a_new_connection(server: ScriptedServer) -> None:
    queued("jo0@acme.example")
    mail = queued("jo1@acme.example")
    server.at_recipient["jo1@acme.example"] = ["421 4.7.0 Too many mails on this connection"]

    deliver()

    assert state_of(mail) == MailState.SENT
    assert server.connection_count == 2


def test_a_server_that_is_away_defers_everything_and_is_asked_once(server: ScriptedServer) -> None:
    server.stop()
    mails = [queued(f"jo{place}@acme.example") for place in range(3)]

    is_more_due = deliver()

    assert not is_more_due
    assert {state_of(mail) for mail in mails} == {MailState.DEFERRED}
    assert f"127.0.0.1:{server.port} cannot be reached" in mails[2].last_error


def test_without_a_server_mails_wait_and_say_why(settings: Settings) -> None:
    settings.MAIL_SERVER = {}
    mail = queued()

    deliver()

    assert state_of(mail) == MailState.QUEUED
    assert mail.last_error == NO_SERVER
    assert mail.attempt_count == 0


def test_the_demo_keeps_mails_in_its_mailbox(settings: Settings) -> None:
    settings.MAIL_SERVER, settings.IS_DEMO = {}, True
    mail = queued(to_name="Jo")

    deliver()

    kept = MailboxMessage.objects.get()
    assert (kept.to_address, kept.subject, kept.received_at) == ("jo@acme.example", "A note for Jo", NOW)
    assert b"Hello Jo" in bytes(kept.raw)
    assert state_of(mail) == MailState.SENT


def test_a_mail_is_given_up_after_two_days_of_tries(server: ScriptedServer) -> None:
    server.at_recipient["jo@acme.example"] = ["450 4.2.0 Mailbox busy"] * MAX_ATTEMPTS
    mail, moment = queued(), NOW

    for _ in range(MAX_ATTEMPTS):
        deliver(moment)
        mail.refresh_from_db()
        moment = mail.send_after

    assert mail.state == MailState.FAILED
    assert mail.last_error.startswith("Given up after 16 tries.")
    assert timedelta(days=1, hours=20) < moment - NOW < timedelta(days=2, hours=4)


def test_pauses_between_tries_grow() -> None:
    pauses = [retry_at(count, now=NOW) - NOW for count in range(1, MAX_ATTEMPTS)]

    assert pauses[:4] == list(RETRY_AFTER)
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=4)


def test_mails_of_a_killed_worker_are_sent_by_another(server: ScriptedServer, settings: Settings) -> None:
    settings.MAIL_STUCK_AFTER_SECONDS = 30
    mail = queued()
    WayOut().claim(now=NOW)

    deliver(NOW + timedelta(seconds=29))
    assert state_of(mail) == MailState.SENDING
    deliver(NOW + timedelta(seconds=31))

    assert state_of(mail) == MailState.SENT
    assert [sent["Message-ID"] for sent in server.mails] == [f"<{mail.id}@payorcrm.example>"]


def test_a_mail_that_kills_its_worker_each_time_is_given_up(server: ScriptedServer, settings: Settings) -> None:
    settings.MAIL_STUCK_AFTER_SECONDS = 30
    mail = queued(attempt_count=MAX_ATTEMPTS - 1)
    WayOut().claim(now=NOW)

    deliver(NOW + timedelta(seconds=31))

    assert state_of(mail) == MailState.FAILED
    assert "stopped" in mail.last_error


def test_a_worker_that_is_too_slow_leaves_the_rest_to_others(server: ScriptedServer, settings: Settings) -> None:
    mails = [queued(), queued("other@acme.example")]
    moments = iter([NOW, NOW, NOW, NOW + timedelta(minutes=6), NOW + timedelta(minutes=6)])

    transport = SmtpTransport(settings.MAIL_SERVER, sender="a@b.example")
    with closing(transport), Delivery(transport, lambda: next(moments)) as delivery:
        delivery.deliver_batch(WayOut().claim(now=NOW))

    assert [state_of(mail) for mail in mails] == [MailState.SENT, MailState.DEFERRED]


def test_what_another_worker_has_taken_over_is_not_recorded(server: ScriptedServer) -> None:
    mail = queued()
    (mine,) = WayOut().claim(now=NOW)
    Mail.objects.filter(id=mail.id).update(claimed_at=NOW + timedelta(minutes=11))

    record([Result(mine, Answer(MailState.FAILED, "too late"))], now=NOW)

    assert state_of(mail) == MailState.SENDING


@pytest.mark.parametrize("mistake", ["a mistake", "a late mistake"])
def test_a_mail_that_cannot_be_written_does_not_stop_the_others(server: ScriptedServer, mistake: str) -> None:
    bad, good = queued(to_name=mistake), queued("good@acme.example")

    deliver()

    assert state_of(bad) == MailState.FAILED
    assert "could not be written" in bad.last_error
    assert state_of(good) == MailState.SENT


def test_an_address_that_mail_cannot_reach_fails_with_the_reason(server: ScriptedServer) -> None:
    mail = queued("jö@acme.example")

    deliver()

    assert state_of(mail) == MailState.FAILED
    assert "many mail servers cannot deliver to" in mail.last_error


def test_a_kind_that_nobody_writes_is_visible(server: ScriptedServer) -> None:
    mail = queued(kind="unheard_of")

    deliver()

    assert state_of(mail) == MailState.FAILED
    assert "unheard_of" in mail.last_error


class Torn(Inconsistent):
    """Two invented records disagree."""


def test_a_contradiction_is_raised_after_the_batch_is_recorded(server: ScriptedServer) -> None:
    @composer("torn")
    def compose_torn(mails: list[Mail], now: object) -> dict[object, Draft | Unsendable]:
        raise Torn("A and B disagree.")

    torn, good = queued(kind="torn"), queued("good@acme.example")

    with pytest.raises(Torn):
        deliver()

    assert state_of(torn) == MailState.FAILED
    assert torn.last_error == "Stopped before sending: A and B disagree."
    assert state_of(good) == MailState.SENT


def test_what_follows_a_mail_happens_only_for_those_that_were_sent(server: ScriptedServer) -> None:
    followed: list[object] = []
    after_sending("test_note")(lambda mail_ids, now: followed.extend(mail_ids))
    server.at_recipient["refused@acme.example"] = ["550 5.1.1 No"]
    sent = queued()
    queued("refused@acme.example")

    deliver()

    assert followed == [sent.id]


@pytest.mark.parametrize("count", [1, 40])
def test_the_number_of_queries_does_not_grow_with_the_mails(
    server: ScriptedServer, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for place in range(count):
        queued(f"jo{place}@acme.example")

    # Releasing stuck ones; claiming in a savepoint, after who is limited; recording in one; claiming nothing more.
    with django_assert_num_queries(1 + 4 + 4 + 4):
        deliver()


def test_every_change_of_state_is_one_that_the_rules_allow(server: ScriptedServer) -> None:
    server.at_recipient |= {"a@x.example": ["450 Busy"], "b@x.example": ["550 5.1.1 No"], "c@x.example": ["554 No"]}
    for name in "abcd":
        queued(f"{name}@x.example")
    queued(to_name="nobody")

    deliver()

    reached = set(Mail.objects.values_list("state", flat=True))
    assert reached == MAIL_TRANSITIONS[MailState.SENDING]
    assert set(MAIL_TRANSITIONS) == set(MailState)
