"""Keeps who a merchant's mails come from, after its own mail server was tried."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from payorcrm.mail.check_server import check_server
from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.models import Mail, MailSender, MailState
from payorcrm.merchants.models import Merchant


def sender_of(merchant: Merchant) -> MailSender:
    """Return who the merchant's mails come from; one that was never kept says nothing of its own."""
    return MailSender.objects.filter(merchant=merchant).first() or MailSender(merchant=merchant)


def keep_sender(sender: MailSender, *, also: Callable[[], None] | None = None, now: datetime) -> None:
    """Try the merchant's own server, if it is to be used, then keep all. Raises ServerDoesNotWork.

    Mails that waited for the server before are due at once. `also` is called in the transaction that keeps.
    """
    if sender.uses_own_server:
        check_server(sender.server(), sender=sender.from_address)
        sender.checked_at = now
    sender.failing_since, sender.failure, sender.failure_count, sender.rests_until = None, "", 0, None
    with transaction.atomic():
        sender.save()
        Mail.objects.filter(merchant=sender.merchant_id, state=MailState.DEFERRED, send_after__gt=now).update(
            send_after=now
        )
        deliver_soon()
        if also:
            also()
