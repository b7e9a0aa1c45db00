"""Mails of other libraries take the same way as ours."""

import pytest
from django.core.mail import EmailMultiAlternatives, send_mail
from django.db import transaction
from pytest_django import Settings

from payorcrm.core import clock
from payorcrm.mail.models import Mail, MailState
from payorcrm.mail.prepare import SEALED
from tests.factories.outbox import deliver
from tests.factories.smtp import ScriptedServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def through_the_outbox(settings: Settings) -> None:
    """pytest-django puts another backend in place of ours."""
    settings.EMAIL_BACKEND = "payorcrm.mail.backend.OutboxBackend"


def test_a_mail_is_sealed_until_it_is_sent(server: ScriptedServer) -> None:
    send_mail("New password", "Open https://pay.example/reset/secret-token/", None, ["Jo Miller <jo@acme.example>"])

    mail = Mail.objects.get()
    assert (mail.kind, mail.to_address, mail.to_name, mail.subject) == (
        SEALED,
        "jo@acme.example",
        "Jo Miller",
        "New password",
    )
    assert b"secret-token" not in bytes(mail.sealed_message or b"")
    deliver(clock.now())

    (sent,) = server.mails
    for kind in ("plain", "html"):
        assert "secret-token" in sent.get_body((kind,)).get_content()
    assert sent["Message-ID"] == f"<{mail.id}@payorcrm.example>"
    mail.refresh_from_db()
    assert mail.state == MailState.SENT
    assert mail.sealed_message is None


def test_each_recipient_gets_a_mail_of_their_own(server: ScriptedServer) -> None:
    message = EmailMultiAlternatives("Hi", "text", None, ["a@x.example"], bcc=["b@x.example"])
    message.attach_alternative("<p>text</p>", "text/html")

    assert message.send() == 1
    deliver(clock.now())

    assert sorted(server.recipients) == ["a@x.example", "b@x.example"]
    assert [sent["To"] for sent in server.mails] == ["a@x.example", "a@x.example"]
    assert len({sent["Message-ID"] for sent in server.mails}) == 2


def test_a_line_break_in_the_subject_is_refused_before_anything_is_queued() -> None:
    with pytest.raises(ValueError, match="newlines"):
        send_mail("Hi\nBcc: all@x.example", "text", None, ["a@x.example"])

    assert not Mail.objects.exists()


def test_a_mail_of_a_transaction_that_failed_is_never_sent() -> None:
    with transaction.atomic():
        send_mail("Hi", "text", None, ["a@x.example"])
        transaction.set_rollback(True)

    assert not Mail.objects.exists()
