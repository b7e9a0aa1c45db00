"""Turns an id from the mailbox's addresses into a message. Everybody may read the demo's mails."""

from uuid import UUID

from django.http import Http404

from payorcrm.mail.models import MailboxMessage


def message_from_url(message_id: UUID) -> MailboxMessage:
    """Return a message. Raises Http404."""
    found = MailboxMessage.objects.filter(id=message_id).first()
    if found is None:
        raise Http404
    return found
