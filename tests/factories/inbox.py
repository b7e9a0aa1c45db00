"""A real SMTP server that keeps all mails, in a thread of the test run."""

import re
import socket
import threading
import time
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LINK = re.compile(r'href="([^"]+)"')


class Inbox:
    """Everybody's mail. Each mail is handed out once by `wait_for_mail`; `mails` has them all."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self._unread: list[EmailMessage] = []
        self._arrival = threading.Condition()
        self._server = Controller(self, hostname="127.0.0.1", port=free_port())
        self._server.start()

    @property
    def url(self) -> str:
        """The address for `EMAIL_URL`."""
        return f"smtp://127.0.0.1:{self._server.port}?insecure=1"

    def wait_for_mail(self, *, to: str = "", subject: str = "", patience: float = 60) -> EmailMessage:
        """Return the oldest unread mail to an address whose subject contains a text, as soon as it is there."""
        deadline = time.monotonic() + patience
        with self._arrival:
            while not (found := self._first_unread(to, subject)):
                if not self._arrival.wait(deadline - time.monotonic()):
                    raise AssertionError(f"No mail to “{to}” about “{subject}” within {patience} s. {self._listing()}")
            self._unread.remove(found)
            return found

    def stop(self) -> None:
        """Close the server."""
        self._server.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one mail; aiosmtpd calls this."""
        mail = BytesParser(policy=default).parsebytes(envelope.original_content or b"")
        mail["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        with self._arrival:
            self.mails.append(mail)
            self._unread.append(mail)
            self._arrival.notify_all()
        return "250 OK"

    def _first_unread(self, to: str, subject: str) -> EmailMessage | None:
        fitting = (mail for mail in self._unread if to in mail["X-Envelope-To"] and subject in mail["Subject"])
        return next(fitting, None)

    def _listing(self) -> str:
        lines = (f"{mail['X-Envelope-To']}: {mail['Subject']}" for mail in self._unread)
        return "Unread: " + ("; ".join(lines) or "none")


def html_of(mail: EmailMessage) -> str:
    """Return the HTML part of a mail."""
    part = mail.get_body(("html",))
    assert part is not None, "the mail has no HTML part"
    return str(part.get_content())


def text_of(mail: EmailMessage) -> str:
    """Return the text part of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None, "the mail has no text part"
    return str(part.get_content())


def links_in(mail: EmailMessage) -> list[str]:
    """Return the address of every link in a mail's HTML part, in order."""
    return [link.replace("&amp;", "&") for link in LINK.findall(html_of(mail))]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port
