"""Mails with more than one receiver: who gets them, and what a refusal of one of them means."""

import pytest
from pytest_django import Settings

from payorcrm.mail.models import Mail, MailboxMessage, MailState
from tests.factories.outbox import deliver, queued
from tests.factories.smtp import ScriptedServer

pytestmark = pytest.mark.django_db


def state_of(mail: Mail) -> str:
    mail.refresh_from_db()
    return mail.state


def test_a_mail_goes_to_everyone_it_names(server: ScriptedServer) -> None:
    queued("jo@acme.example", also_to=["ann@acme.example"], cc=["cfo@acme.example"])

    deliver()

    (sent,) = server.mails
    assert server.recipients == ["jo@acme.example", "ann@acme.example", "cfo@acme.example"]
    assert (sent["To"], sent["Cc"]) == ("jo@acme.example, ann@acme.example", "cfo@acme.example")


def test_a_copy_that_is_refused_does_not_stop_the_mail(server: ScriptedServer) -> None:
    server.at_recipient["gone@acme.example"] = ["550 5.1.1 No such user"]
    mail = queued(cc=["gone@acme.example", "jö@acme.example", "cfo@acme.example"])

    deliver()

    assert state_of(mail) == MailState.SENT
    assert server.recipients == ["jo@acme.example", "cfo@acme.example"]
    assert "gone@acme.example (550 5.1.1 No such user)" in mail.last_error
    assert "jö@acme.example" in mail.last_error


def test_one_of_two_that_a_mail_is_addressed_to_is_enough(server: ScriptedServer) -> None:
    server.at_recipient["jo@acme.example"] = ["550 5.1.1 No such user"]
    mail = queued("jo@acme.example", also_to=["ann@acme.example"])

    deliver()

    assert state_of(mail) == MailState.SENT
    assert server.recipients == ["ann@acme.example"]


def test_a_copy_alone_is_no_delivery(server: ScriptedServer) -> None:
    server.at_recipient["jo@acme.example"] = ["550 5.1.1 No such user"]
    mail = queued("jo@acme.example", cc=["cfo@acme.example"])

    deliver()

    assert state_of(mail) == MailState.BOUNCED
    assert server.recipients == []


def test_the_demo_shows_a_mail_to_everyone_who_gets_it(settings: Settings) -> None:
    settings.MAIL_SERVER, settings.IS_DEMO = {}, True
    queued("jo@acme.example", cc=["cfo@acme.example"])

    deliver()

    assert set(MailboxMessage.objects.values_list("to_address", flat=True)) == {"jo@acme.example", "cfo@acme.example"}
