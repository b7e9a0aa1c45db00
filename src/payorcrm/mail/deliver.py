"""Delivers the outbox: claims a batch, writes it, sends it over one connection, and records how it went.

A mail may go out twice if a worker is killed between sending and recording, always with the same Message-ID.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from payorcrm.mail.models import Mail, MailState
from payorcrm.mail.prepare import Prepared, prepare
from payorcrm.mail.record import MAX_ATTEMPTS, Result, record
from payorcrm.mail.transport import Answer, Transport, open_transport

BATCH_SIZE = 200
# A killed worker leaves at most so many mails that were sent and are not yet recorded.
RECORD_EVERY = 50

NO_SERVER = "No mail server is configured (EMAIL_URL); this mail waits until there is one."
TOO_SLOW = "The mail server was too slow for the mails before this one."

Clock = Callable[[], datetime]


def deliver_due(*, clock: Clock, until: datetime) -> bool:
    """Send what is due until nothing is left, the server goes away or time is up; say whether more is due."""
    transport = open_transport()
    if transport is None:
        explain_waiting(now=clock())
        return False
    release_stuck(now=clock())
    with closing(transport):
        while mails := claim(now=clock()):
            deliver_batch(mails, transport, clock)
            if transport.is_down:
                return False
            if clock() >= until:
                return len(mails) == BATCH_SIZE
    return False


def claim(*, now: datetime, limit: int = BATCH_SIZE) -> list[Mail]:
    """Mark the next mails as being sent, single ones before those of a reminder run, and return them, committed."""
    with transaction.atomic(durable=True):
        mails = list(Mail.objects.raw(CLAIM, {"now": now, "limit": limit}))
    return sorted(mails, key=lambda mail: (mail.is_bulk, mail.send_after, mail.id))


CLAIM = """
UPDATE mail_mail SET state = 'sending', claimed_at = %(now)s, attempt_count = attempt_count + 1
WHERE id IN (
    SELECT id FROM mail_mail WHERE state IN ('queued', 'deferred') AND send_after <= %(now)s
    ORDER BY is_bulk, send_after, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING *
"""


def deliver_batch(mails: list[Mail], transport: Transport, clock: Clock) -> None:
    """Write and send claimed mails, recording every few. Raises Inconsistent at the end if a composer did."""
    batch = prepare(mails, now=clock())
    for start in range(0, len(mails), RECORD_EVERY):
        part = mails[start : start + RECORD_EVERY]
        record([_send(mail, batch.prepared[mail.id], transport, clock) for mail in part], now=clock())
    for contradiction in batch.contradictions:
        raise contradiction


def _send(mail: Mail, prepared: Prepared, transport: Transport, clock: Clock) -> Result:
    if isinstance(prepared, Answer):
        return Result(mail, prepared)
    # Another worker takes over what stays claimed for too long; stop well before that.
    if mail.claimed_at and clock() - mail.claimed_at > stuck_after() / 2:
        return Result(mail, Answer(MailState.DEFERRED, TOO_SLOW))
    return Result(mail, transport.send(prepared, clock()), subject=prepared.subject)


def stuck_after() -> timedelta:
    """Return how long a mail may be claimed before its worker is taken for dead."""
    return timedelta(seconds=settings.MAIL_STUCK_AFTER_SECONDS)


def release_stuck(*, now: datetime) -> None:
    """Give the mails of killed workers back to the queue; one that was tried too often has failed."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, {"now": now, "before": now - stuck_after(), "tries": MAX_ATTEMPTS})


RELEASE = """
UPDATE mail_mail SET
    state = CASE WHEN attempt_count < %(tries)s THEN 'deferred' ELSE 'failed' END,
    send_after = %(now)s, claimed_at = NULL,
    last_error = 'The worker that was sending this mail stopped. It may have arrived.'
WHERE id IN (
    SELECT id FROM mail_mail WHERE state = 'sending' AND claimed_at < %(before)s FOR UPDATE SKIP LOCKED
)
"""


def explain_waiting(*, now: datetime) -> None:
    """Write beside the mails that wait that there is no way out for them."""
    Mail.objects.due(now=now).exclude(last_error=NO_SERVER).update(last_error=NO_SERVER)
