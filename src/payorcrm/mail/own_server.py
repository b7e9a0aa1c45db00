"""Merchants' own mail servers: which of them have mail to send, and a rest for one that is away."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from payorcrm.mail.models import Mail, MailSender, MailState
from payorcrm.merchants.models import Merchant

# So long is a server left alone after it was away once, twice, and so on.
RESTS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))


def senders_with_mail(*, now: datetime) -> list[UUID]:
    """Return the own servers for which something is due and that do not rest."""
    with connection.cursor() as cursor:
        cursor.execute(SENDERS_WITH_MAIL, {"now": now})
        return [sender_id for (sender_id,) in cursor.fetchall()]


SENDERS_WITH_MAIL = """
SELECT id FROM mail_mailsender AS sender
WHERE uses_own_server AND (rests_until IS NULL OR rests_until <= %(now)s) AND EXISTS (
    SELECT FROM mail_mail WHERE merchant_id = sender.merchant_id AND state IN ('queued', 'deferred')
    AND send_after <= %(now)s
)
"""


def rest(sender: MailSender, trouble: str, *, now: datetime) -> None:
    """Leave a server that is away alone for a while; all mails that wait for it say so, and are due again after it."""
    until, trouble = now + RESTS[min(sender.failure_count, len(RESTS) - 1)], trouble.replace("\0", "\ufffd")
    with transaction.atomic():
        MailSender.objects.filter(id=sender.id).update(
            failing_since=sender.failing_since or now,
            failure=trouble,
            failure_count=F("failure_count") + 1,
            rests_until=until,
        )
        Mail.objects.due(now=now).filter(merchant=sender.merchant_id).update(send_after=until, last_error=trouble)


def recover(sender: MailSender) -> None:
    """Note that the server works again."""
    if sender.failing_since:
        MailSender.objects.filter(id=sender.id).update(
            failing_since=None, failure="", failure_count=0, rests_until=None
        )


def waiting_of(merchant: Merchant) -> int:
    """Count the merchant's mails that are to go out."""
    return Mail.objects.filter(merchant=merchant, state__in=[MailState.QUEUED, MailState.DEFERRED]).count()
