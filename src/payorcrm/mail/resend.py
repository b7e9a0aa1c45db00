"""Puts a mail that failed or bounced back into the queue."""

from datetime import datetime
from typing import ClassVar

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.models import MAIL_TRANSITIONS, Mail, MailState
from payorcrm.mail.suppress import is_stopped, stopped_among

AGAIN = [state for state, following in MAIL_TRANSITIONS.items() if MailState.QUEUED in following]


class CannotQueueAgain(Refused):
    """A mail is under way, was sent or is not needed any more."""

    code = "cannot_queue_again"
    status: ClassVar[int] = 409
    message = "Only a mail that could not be sent can be sent again."


def queue_again(mail: Mail, *, now: datetime) -> None:
    """Send a failed mail again, with all its tries before it; it is written anew. Raises CannotQueueAgain."""
    if why := is_stopped(mail, mail.to_address, stopped_among([mail])):
        raise CannotQueueAgain(f"{why} Change the address on the customer's page, or allow mails to it there.")
    with transaction.atomic():
        changed = Mail.objects.filter(id=mail.id, state__in=AGAIN).update(
            state=MailState.QUEUED, attempt_count=0, send_after=now, queued_at=now, last_error=""
        )
        if not changed:
            raise CannotQueueAgain
        deliver_soon()
    mail.refresh_from_db()
