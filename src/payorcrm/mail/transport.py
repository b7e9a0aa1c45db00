"""Ways out: an SMTP server, or the demo's own mailbox. Each says what became of a mail; none raises for one mail."""

import re
import smtplib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings

from payorcrm.mail.connect import CannotConnect, connect, has_hung, said_by
from payorcrm.mail.models import MailboxMessage, MailSender, MailState
from payorcrm.mail.proviso import Proviso

# A server that has the whole message may look at it for long. Who hangs up on it sends it twice, so RFC 5321, section
# 4.5.3.2.6, asks for ten minutes; a worker has other work, too.
SECONDS_TO_TAKE_OVER = 120

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One finished message on its way."""

    mail_id: UUID
    to_address: str
    subject: str
    message: bytes
    also_to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    # Whom the message does not reach, known before it is handed over.
    left_out: tuple[str, ...] = ()
    # In small letters, those that a run's mails may be stopped from going to.
    stoppable: tuple[str, ...] = ()
    proviso: Proviso | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of it: sent, deferred, failed or bounced, and why, for people."""

    state: MailState
    error: str = ""
    # Whether it counts as one of the tries that a mail has.
    is_try: bool = True


# Nobody reads it beside a mail that another worker has taken over: what that one does is recorded.
KEPT_BACK = Answer(
    MailState.DEFERRED, "What this mail says, or whom it goes to, has just changed. It is written anew.", is_try=False
)
KEPT_BACK_AGAIN = (
    "Each time that this mail was to leave, what it says or whom it goes to had changed again. It is written anew, at"
    " longer and longer intervals."
)


def always() -> bool:
    """Let every message go."""
    return True


class Transport(ABC):
    """A way out, open for a while."""

    is_down = False
    trouble = ""
    _answer: Answer | None = None

    @abstractmethod
    def send(self, outgoing: Outgoing, now: datetime) -> Answer:
        """Send one message and say what became of it."""

    def begin(self, outgoing: Outgoing, now: datetime, may_go: Callable[[], bool] = always) -> None:
        """Send one message, as far as that goes without waiting; `finish` says what became of it.

        `may_go` is asked at the last moment before the message leaves.
        """
        self._answer = self.send(outgoing, now) if may_go() else KEPT_BACK

    def finish(self) -> Answer:
        """Wait for the message that was begun."""
        assert self._answer is not None
        return self._answer

    def run(self, sending: Callable[[], T]) -> Future[T]:
        """Do the work of sending, here and now: it may use the database, which belongs to this thread."""
        done: Future[T] = Future()
        done.set_result(sending())
        return done

    def close(self) -> None:  # noqa: B027, not every way out holds something open
        """Leave nothing open."""


def open_transport() -> Transport | None:
    """Return the configured way out; None when there is none, which only production allows."""
    if settings.MAIL_SERVER:
        return SmtpTransport(settings.MAIL_SERVER, sender=settings.MAIL_FROM)
    return MailboxTransport() if settings.IS_DEMO else None


def open_own_transport(sender: MailSender) -> "SmtpTransport":
    """Return the way out over a merchant's own server."""
    return SmtpTransport(sender.server(), sender=sender.from_address)


class MailboxTransport(Transport):
    """Keeps messages where the demo's mailbox page shows them."""

    def send(self, outgoing: Outgoing, now: datetime) -> Answer:
        """Put the message into the mailbox of everyone who gets it."""
        MailboxMessage.objects.bulk_create(
            MailboxMessage(to_address=address, subject=outgoing.subject, received_at=now, raw=outgoing.message)
            for address in (outgoing.to_address, *outgoing.also_to, *outgoing.cc)
        )
        return Answer(MailState.SENT, not_to(outgoing.left_out))


class SmtpTransport(Transport):
    """One connection to a mail server, opened when first needed and used for many mails.

    Once the server cannot be reached, `is_down` stays true and the rest is deferred without waiting for it again.
    """

    def __init__(self, server: Mapping[str, Any], *, sender: str) -> None:
        self._server = server
        self._sender = sender
        # smtplib's own commands parse every address anew, which takes as long as all else of them.
        self._from = smtplib.quoteaddr(sender)
        self._connection: smtplib.SMTP | None = None
        self._has_carried = False
        self._left_out: list[str] = []
        self._line = ThreadPoolExecutor(1, thread_name_prefix="mail")

    def run(self, sending: Callable[[], T]) -> Future[T]:
        """Do the work on the line's own thread, which mostly waits for the server and must not touch the database."""
        return self._line.submit(sending)

    def send(self, outgoing: Outgoing, now: datetime) -> Answer:
        """Hand one message over and wait for the server's word."""
        self.begin(outgoing, now)
        return self.finish()

    def begin(self, outgoing: Outgoing, now: datetime, may_go: Callable[[], bool] = always) -> None:
        """Hand one message over; the server may still be reading it when this returns."""
        self._answer = self._without_raising(partial(self._hand_over, outgoing, may_go))

    def finish(self) -> Answer:
        """Wait for the server's word about the message."""
        answer = self._answer or self._without_raising(self._await_word)
        assert answer is not None
        return answer

    def close(self) -> None:
        """Finish what was begun and take leave of the server."""
        self._line.shutdown()
        if self._connection:
            try:
                self._connection.quit()
            except OSError:
                self._connection.close()
        self._connection = None

    def _without_raising(self, step: Callable[[], Answer | None]) -> Answer | None:
        if self.is_down:
            return Answer(MailState.DEFERRED, self.trouble)
        try:
            return step()
        except CannotConnect as error:
            self.is_down = True
            self.trouble = str(error)
            return Answer(MailState.DEFERRED, self.trouble)
        except OSError as error:  # smtplib's exceptions are among them
            # The connection broke while the message was under way. It may have arrived: the next try has the same
            # Message-ID, by which mail clients recognise it.
            self._drop()
            answer = Answer(MailState.DEFERRED, f"The connection to the mail server broke: {said_by(error)}")
            if has_hung(error):
                self.is_down, self.trouble = True, answer.error
            return answer

    def _hand_over(self, outgoing: Outgoing, may_go: Callable[[], bool]) -> Answer | None:
        refusal = self._introduce(outgoing)
        if not refusal and not may_go():
            self._start_over(250)
            return KEPT_BACK
        if not refusal:
            code, text = self._connected().docmd("DATA")
            refusal = Refusal("message", code, text) if code != 354 else None
        if refusal:
            return self._refused(refusal)
        self._connected().send(dot_stuffed(outgoing.message))
        self._has_carried = True
        return None

    def _await_word(self) -> Answer:
        connection = self._connected()
        seconds = connection.timeout
        _wait_for(connection, SECONDS_TO_TAKE_OVER)
        code, text = connection.getreply()
        _wait_for(connection, seconds)
        return (
            Answer(MailState.SENT, not_to(self._left_out))
            if code == 250
            else self._refused(Refusal("message", code, text))
        )

    def _refused(self, refusal: "Refusal") -> Answer:
        self._start_over(refusal.code)
        return refusal.answer()

    def _introduce(self, outgoing: Outgoing) -> "Refusal | None":
        """Name sender and recipients; on a connection that has grown stale, once more on a new one."""
        try:
            refusal = self._name_all(outgoing)
        except OSError:
            if not self._has_carried:
                raise
            refusal = Refusal("sender", 421, b"")
        if refusal and refusal.code == 421 and self._has_carried:
            self._drop()
            refusal = self._name_all(outgoing)
        return refusal

    def _name_all(self, outgoing: Outgoing) -> "Refusal | None":
        connection = self._connected()
        size = f" size={len(outgoing.message)}" if connection.has_extn("size") else ""
        code, text = connection.docmd("mail", f"FROM:{self._from}{size}")
        if code != 250:
            return Refusal("sender", code, text)
        self._left_out = list(outgoing.left_out)
        return self._name_receivers(outgoing)

    def _name_receivers(self, outgoing: Outgoing) -> "Refusal | None":
        """Name all of them; refused is a mail that reaches nobody it is addressed to, whoever gets a copy."""
        addressed = (outgoing.to_address, *outgoing.also_to)
        refusals = [refusal for address in addressed if (refusal := self._name(address))]
        if len(refusals) == len(addressed):
            return refusals[0]
        refusals += [refusal for address in outgoing.cc if (refusal := self._name(address))]
        return next((refusal for refusal in refusals if refusal.code == 421), None)

    def _name(self, address: str) -> "Refusal | None":
        code, text = self._connected().docmd("rcpt", f"TO:<{address}>")
        if code in (250, 251):
            return None
        refusal = Refusal("recipient", code, text)
        self._left_out.append(f"{address} ({refusal.said()})")
        return refusal

    def _start_over(self, code: int) -> None:
        if code == 421:
            self._drop()
            return
        try:
            self._connected().rset()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
        self._has_carried = False

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            self._connection = connect(self._server, own_name=self._sender.rpartition("@")[2])
        return self._connection


@dataclass(frozen=True, slots=True)
class Refusal:
    """A server's no: to the sender, the recipient or the message."""

    step: str
    code: int
    text: bytes

    def answer(self) -> Answer:
        """Say what follows from it (RFC 5321, section 4.2.1; codes with dots are RFC 3463's)."""
        said = self.said()
        if self.code < 500:
            return Answer(MailState.DEFERRED, f"The mail server asked to try again later: {said}")
        if self.step == "sender" and self.code != 552:
            return Answer(MailState.DEFERRED, f"The mail server does not accept our sender address: {said}")
        if self.step == "recipient" and re.match(rb"5\.1\.\d", self.text):
            return Answer(MailState.BOUNCED, f"This address does not exist, says the mail server: {said}")
        return Answer(MailState.FAILED, f"The mail server refused this mail for good: {said}")

    def said(self) -> str:
        """Return the server's own words on one line."""
        return " ".join(f"{self.code} {self.text.decode('utf-8', 'replace')}".split())


def not_to(left_out: Sequence[str]) -> str:
    """Say who of several did not get a mail; empty if all did."""
    return f"It did not go to {'; '.join(left_out)}." if left_out else ""


def dot_stuffed(message: bytes) -> bytes:
    """Return a message of CRLF lines as it goes over the wire, its end marked (RFC 5321, section 4.5.2)."""
    stuffed = (b"." if message.startswith(b".") else b"") + message.replace(b"\r\n.", b"\r\n..")
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _wait_for(connection: smtplib.SMTP, seconds: float) -> None:
    """Let an answer take so long from now on."""
    connection.timeout = seconds
    if connection.sock:
        connection.sock.settimeout(seconds)
