"""Django's e-mail backend: mails of other libraries go through the outbox, sealed until they are sent."""

from collections.abc import Sequence
from email.utils import getaddresses

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from payorcrm.core import clock
from payorcrm.core.crypto import encrypt
from payorcrm.core.ids import uuid7
from payorcrm.mail.dress import dress
from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.message import message_id_of
from payorcrm.mail.models import Mail
from payorcrm.mail.prepare import SEALED


class OutboxBackend(BaseEmailBackend):
    """Queues what Django is asked to send, one mail a recipient."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Queue the messages in the current transaction and return how many there were."""
        messages = [message for message in email_messages if message.recipients()]
        mails = [
            _sealed_mail(message, name, address)
            for message in messages
            for name, address in getaddresses(message.recipients())
        ]
        with transaction.atomic():
            Mail.objects.bulk_create(mails)
            if mails:
                deliver_soon()
        return len(messages)


def _sealed_mail(message: EmailMessage, name: str, address: str) -> Mail:
    now, mail_id = clock.now(), uuid7()
    if isinstance(message, EmailMultiAlternatives) and not message.alternatives:
        message.attach_alternative(dress(subject=str(message.subject), text=str(message.body)), "text/html")
    mime = message.message()
    del mime["Message-ID"]
    mime["Message-ID"] = message_id_of(mail_id, settings.MAIL_FROM)
    if "Auto-Submitted" not in mime:
        mime["Auto-Submitted"] = "auto-generated"
    return Mail(
        id=mail_id,
        kind=SEALED,
        to_address=address,
        to_name=name,
        subject=message.subject[:300],
        sealed_message=encrypt(mime.as_bytes(linesep="\r\n")),
        queued_at=now,
        send_after=now,
    )
