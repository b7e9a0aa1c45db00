"""Delivers the outbox: claims a batch, writes it, sends it over one connection, and records how it went.

A mail may go out twice if a worker is killed between sending and recording, always with the same Message-ID.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Self

from django.conf import settings
from django.db import connection, transaction

from payorcrm.mail.models import Mail, MailState
from payorcrm.mail.prepare import Batch, Prepared, prepare
from payorcrm.mail.record import MAX_ATTEMPTS, Result, record
from payorcrm.mail.transport import Answer, Outgoing, Transport, open_transport

BATCH_SIZE = 200
# A killed worker leaves at most two parts of so many mails that were sent and are not yet recorded.
RECORD_EVERY = 50

NO_SERVER = "No mail server is configured (EMAIL_URL); this mail waits until there is one."
TOO_SLOW = "The mail server was too slow for the mails before this one."

Clock = Callable[[], datetime]


def deliver_due(*, clock: Clock, until: datetime) -> bool:
    """Send what is due until nothing is left, the server goes away or time is up; say whether more is due.

    Raises Inconsistent if a composer did, after its batch is recorded.
    """
    transport = open_transport()
    if transport is None:
        explain_waiting(now=clock())
        return False
    release_stuck(now=clock())
    with closing(transport), Delivery(transport, clock) as delivery:
        while not transport.is_down and (mails := claim(now=clock())):
            delivery.deliver_batch(mails)
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


@dataclass(slots=True)
class Delivery:
    """Sends parts of batches one after another; while one is on the line, the next is written and the last recorded.

    Leaving the context records what is still on the line, whatever happened.
    """

    transport: Transport
    clock: Clock
    on_the_line: "Part | None" = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._record_line()

    def deliver_batch(self, mails: list[Mail]) -> None:
        """Compose claimed mails and put them on the line."""
        batch = prepare(mails, now=self.clock())
        for start in range(0, len(mails), RECORD_EVERY):
            part = mails[start : start + RECORD_EVERY]
            following = Part(batch, self.transport.run(partial(self._send_part, part, batch)))
            before, self.on_the_line = self.on_the_line, following
            self._record(before)

    def _send_part(self, mails: list[Mail], batch: Batch) -> list[Result]:
        results: list[Result] = []
        begun: tuple[Mail, Outgoing] | None = None
        for mail in mails:
            prepared = self._write(mail, batch)  # while the server reads the mail before
            if begun:
                results.append(Result(begun[0], self.transport.finish(), subject=begun[1].subject))
                begun = None
            if isinstance(prepared, Answer):
                results.append(Result(mail, prepared))
            else:
                self.transport.begin(prepared, self.clock())
                begun = mail, prepared
        if begun:
            results.append(Result(begun[0], self.transport.finish(), subject=begun[1].subject))
        return results

    def _write(self, mail: Mail, batch: Batch) -> Prepared:
        # Another worker takes over what stays claimed for too long; stop well before that.
        if mail.claimed_at and self.clock() - mail.claimed_at > stuck_after() / 2:
            return Answer(MailState.DEFERRED, TOO_SLOW)
        return batch.write(mail)

    def _record_line(self) -> None:
        part, self.on_the_line = self.on_the_line, None
        self._record(part)

    def _record(self, part: "Part | None") -> None:
        if part is None:
            return
        record(part.results.result(), now=self.clock())
        if part.batch.contradictions:
            self._record_line()
            raise part.batch.contradictions[0]


@dataclass(frozen=True, slots=True)
class Part:
    """Some mails of a batch, on their way out."""

    batch: Batch
    results: "Future[list[Result]]"


def deliver_batch(mails: list[Mail], transport: Transport, clock: Clock) -> None:
    """Compose, send and record claimed mails. Raises Inconsistent, once all is recorded, if a composer did."""
    with Delivery(transport, clock) as delivery:
        delivery.deliver_batch(mails)


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
