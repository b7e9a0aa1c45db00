"""A mail server that does what a test tells it: accept, refuse, ask for patience, take its time, or hang up."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pytest_django import Settings

from tests.factories.inbox import free_port

HANG_UP = "hang up"


class ScriptedServer:
    """Keeps what arrives. `at_recipient` and `at_message` give answers by address, one for each try."""

    def __init__(self, **options: Any) -> None:
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.connection_count = 0
        self.at_recipient: dict[str, list[str]] = defaultdict(list)
        self.at_message: dict[str, list[str]] = defaultdict(list)
        self.at_sender: list[str] = []
        self.seconds_to_answer = 0.0  # after it has kept a message
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self._controller.start()
        self._is_up = True

    @property
    def settings(self) -> dict[str, object]:
        """What `MAIL_SERVER` must be to reach this server."""
        return {"host": "127.0.0.1", "port": self.port, "user": "", "password": "", "security": "none"}

    @property
    def mails(self) -> list[EmailMessage]:
        """What arrived, read by Python's own parser."""
        return [BytesParser(policy=default).parsebytes(raw) for raw in self.raw]

    def stop(self) -> None:
        """Close the server; a second time is harmless."""
        if self._is_up:
            self._controller.stop()
        self._is_up = False

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Count connections; aiosmtpd calls this."""
        self.connection_count += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to the sender."""
        if self.at_sender:
            return self._said(server, self.at_sender.pop(0))
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a recipient."""
        if self.at_recipient[address]:
            return self._said(server, self.at_recipient[address].pop(0))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message, unless the test wants otherwise."""
        address = envelope.rcpt_tos[0]
        if self.at_message[address]:
            return self._said(server, self.at_message[address].pop(0))
        self.raw.append(envelope.original_content or b"")
        self.recipients += envelope.rcpt_tos
        await asyncio.sleep(self.seconds_to_answer)
        return "250 OK"

    def _said(self, server: SMTP, answer: str) -> str:
        if answer == HANG_UP:
            assert server.transport is not None
            server.transport.abort()
        return answer


def accept_only(user: bytes, password: bytes) -> Any:
    """Return an authenticator for aiosmtpd that knows one person."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (user, password), handled=False)

    return check


@pytest.fixture
def server(settings: Settings) -> Iterator[ScriptedServer]:
    """A mail server that the settings point at."""
    started = ScriptedServer()
    settings.MAIL_SERVER = started.settings
    yield started
    started.stop()
