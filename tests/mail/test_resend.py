"""Sending a failed mail again."""

from datetime import timedelta

import pytest

from payorcrm.mail.models import MailState
from payorcrm.mail.resend import CannotQueueAgain, queue_again
from tests.factories.models import NOW
from tests.factories.outbox import deliver, queued
from tests.factories.smtp import ScriptedServer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", [MailState.FAILED, MailState.BOUNCED])
def test_a_failed_mail_goes_out_when_asked_again(server: ScriptedServer, state: str) -> None:
    mail = queued(state=state, attempt_count=16, last_error="The mail server refused this mail for good: 554 No")

    queue_again(mail, now=NOW + timedelta(days=1))
    assert (mail.state, mail.attempt_count, mail.last_error) == (MailState.QUEUED, 0, "")
    deliver(NOW + timedelta(days=1))

    assert server.recipients == ["jo@acme.example"]


@pytest.mark.parametrize(
    "state", [MailState.QUEUED, MailState.SENDING, MailState.SENT, MailState.DEFERRED, MailState.WITHDRAWN]
)
def test_a_mail_that_did_not_fail_is_not_sent_twice(state: str) -> None:
    mail = queued(state=state)

    with pytest.raises(CannotQueueAgain):
        queue_again(mail, now=NOW)

    mail.refresh_from_db()
    assert mail.state == state
