"""Delivers the outbox: claims a batch, writes it, sends it over one connection, and records how it went.

Mails of merchants with a server of their own are claimed apart, so that what holds up one way out holds up no other.

A worker may be killed at any moment: no mail goes out twice, and the one that the server was just taking is left to
people. Only a connection that breaks while the server reads makes a second try, with the same Message-ID (RFC 5321,
section 6.1, prefers that to a lost mail).
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Self

from payorcrm.mail.claim import WayOut
from payorcrm.mail.hand_over import Notebook
from payorcrm.mail.models import Mail, MailSender, MailState
from payorcrm.mail.own_server import recover, rest
from payorcrm.mail.prepare import Batch, Prepared, prepare
from payorcrm.mail.record import Result, record
from payorcrm.mail.release import release_stuck, stuck_after
from payorcrm.mail.transport import KEPT_BACK, Answer, Outgoing, Transport, open_own_transport, open_transport

# A merchant's server may be slow: its job makes way for others after so many mails.
OWN_BATCH_SIZE = 20
# So many mails are recorded in one statement; until then there are the notes of handing them over.
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
    return send_all(transport, WayOut(), clock=clock, until=until)


def deliver_own(sender: MailSender, *, clock: Clock, until: datetime) -> bool:
    """Send a merchant's due mails over its own server; say whether more is due.

    A server that is away is left alone for a while, and its mails say why they wait; nobody else's are held up.
    """
    release_stuck(now=clock())
    transport = open_own_transport(sender)
    way_out = WayOut(sender.merchant_id, limit=OWN_BATCH_SIZE)
    is_more = send_all(transport, way_out, clock=clock, until=until)
    if transport.is_down:
        rest(sender, transport.trouble, now=clock())
    else:
        recover(sender)
    return is_more and not transport.is_down


def send_all(transport: Transport, way_out: WayOut, *, clock: Clock, until: datetime) -> bool:
    """Claim and send until nothing is left, the server goes away or time is up; say whether more is due."""
    with closing(transport), Delivery(transport, clock) as delivery:
        while not transport.is_down and (mails := way_out.claim(now=clock())):
            delivery.deliver_batch(mails)
            if clock() >= until:
                return way_out.has_due(now=clock())
    return False


@dataclass(slots=True)
class Delivery:
    """Sends parts of batches one after another; while one is on the line, the next is written and the last recorded.

    Leaving the context records what is still on the line, whatever happened.
    """

    transport: Transport
    clock: Clock
    notebook: Notebook = field(default_factory=Notebook)
    on_the_line: "Part | None" = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with closing(self.notebook):
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
                results.append(self._finish(*begun))
                begun = None
            if isinstance(prepared, Answer):
                results.append(Result(mail, prepared))
            else:
                self._begin(mail, prepared)
                begun = mail, prepared
        if begun:
            results.append(self._finish(*begun))
            if results[-1].answer.state == MailState.SENT:
                self.notebook.answered(begun[0], was_taken=True)
        return results

    def _begin(self, mail: Mail, outgoing: Outgoing) -> None:
        now = self.clock()
        self.notebook.note(mail, outgoing, now)
        self.transport.begin(outgoing, now, self.notebook.is_noted)

    def _finish(self, mail: Mail, outgoing: Outgoing) -> Result:
        answer = self.transport.finish()
        if answer.state != MailState.SENT and answer != KEPT_BACK:
            self.notebook.answered(mail, was_taken=False)
        return Result(mail, answer, subject=outgoing.subject)

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


def explain_waiting(*, now: datetime) -> None:
    """Write beside the mails that wait that there is no way out for them."""
    own = MailSender.objects.filter(uses_own_server=True).values("merchant")
    waiting = Mail.objects.due(now=now).exclude(merchant__isnull=False, merchant__in=own)
    waiting.exclude(last_error=NO_SERVER).update(last_error=NO_SERVER)
