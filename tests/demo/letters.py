"""Messages in the mailbox, as the mail package writes them."""

from datetime import datetime, timedelta
from uuid import uuid4

from payorcrm.mail.message import Envelope, write_message
from payorcrm.mail.models import MailboxMessage
from tests.factories.models import NOW

PAGE = "<!doctype html><html><head><title>t</title></head><body>{}</body></html>"


def receive(
    subject: str = "Reminder: $1,150.00 is past due",
    *,
    body: str = '<p>Hello Jo</p><a href="/account/login/">Pay with card</a>',
    text: str = "Hello Jo, pay at http://localhost/account/login/\n",
    to: str = "jo@juniperstreet.example",
    sender: str = "Alder & Finch Wholesale",
    at: datetime = NOW,
) -> MailboxMessage:
    """Put a message into the mailbox."""
    envelope = Envelope(
        message_id=uuid4(),
        from_name=sender,
        from_address="billing@payorcrm.example",
        to_name="Jo Marlowe",
        to_address=to,
        subject=subject,
    )
    raw = write_message(envelope, text=text, html=PAGE.format(body), at=at)
    return MailboxMessage.objects.create(to_address=to, subject=subject, received_at=at, raw=raw)


def receive_many(count: int) -> list[MailboxMessage]:
    """Put messages into the mailbox, a minute apart, the newest last."""
    return [receive(f"Message {number}", at=NOW + timedelta(minutes=number)) for number in range(count)]
