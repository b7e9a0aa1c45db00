"""Tries a merchant's mail server as far as sending goes without a mail, and says which step failed, for people."""

import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any, ClassVar

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.mail.connect import CannotConnect, Step, connect, has_hung
from payorcrm.mail.guard import NameHangs, NotAllowed

SECONDS_IN_ALL = 10


class ServerDoesNotWork(Refused):
    """A mail server cannot be used as it was typed; `field` says which of its settings to look at."""

    code = "mail_server_does_not_work"
    status: ClassVar[int] = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_server(server: Mapping[str, Any], *, sender: str) -> None:
    """Connect, secure the line, sign in and name the sender. Raises ServerDoesNotWork. Never in a transaction.

    All of that together takes `SECONDS_IN_ALL` at the most: somebody waits for the page.
    """
    with transaction.atomic(durable=True):
        pass  # a durable block refuses to be nested
    server = {**server, "until": time.monotonic() + SECONDS_IN_ALL}
    try:
        connection = connect(server, own_name=sender.rpartition("@")[2])
    except CannotConnect as error:
        raise _explained(error.__cause__ or error, error.step, server) from error
    with closing(connection):
        _name_sender(connection, sender, server)


def _name_sender(connection: smtplib.SMTP, sender: str, server: Mapping[str, Any]) -> None:
    try:
        code, text = connection.mail(sender)
        connection.rset()
    except OSError as error:
        if has_hung(error):
            raise _hung(error, Step.NAME_SENDER, server) from error
        raise ServerDoesNotWork("host", f"The server hung up when it was told the sender: {error}") from error
    if code != 250:
        said = text.decode("utf-8", "replace")
        raise ServerDoesNotWork("from_address", f"The server does not let you send from {sender}: {code} {said}")


def _explained(error: BaseException, step: Step, server: Mapping[str, Any]) -> ServerDoesNotWork:
    host, port = server["host"], server["port"]
    if has_hung(error):
        return _hung(error, step, server)
    for kind, field, words in STEPS:
        if isinstance(error, kind):
            return ServerDoesNotWork(field, words.format(host=host, port=port, error=error))
    return ServerDoesNotWork("host", f"{host} cannot be reached on port {port}: {error}")


def _hung(error: BaseException, step: Step, server: Mapping[str, Any]) -> ServerDoesNotWork:
    """Say where the server let us wait for too long."""
    if step == Step.CONNECT and isinstance(error, NameHangs):
        field, words = "host", "Nobody says within {seconds} seconds which address {host} has. Please try again."
    elif step == Step.CONNECT and isinstance(error, TimeoutError) and "handshake" not in str(error):
        field, words = "port", "{host} does not answer on port {port}. Is it 587 or 465?"
    else:
        field, words = HUNG[step]
    return ServerDoesNotWork(field, words.format(host=server["host"], port=server["port"], seconds=SECONDS_IN_ALL))


HUNG = {
    Step.CONNECT: ("port", "{host} takes the call on port {port}, but does not greet. Is it 587 or 465?"),
    Step.SECURE: (
        "security",
        "{host} answers on port {port}, but hung before the line was encrypted.",
    ),
    Step.SIGN_IN: ("user", "{host} hung when it was told the user name and the password."),
    Step.NAME_SENDER: ("from_address", "{host} hung when it was told the sender. Please try again."),
}

# The first one that fits; what is more special stands before what is more general.
STEPS: tuple[tuple[type[BaseException], str, str], ...] = (
    (NotAllowed, "host", "{host} on port {port} is not a mail server on the internet. Ports are 25, 465, 587 or 2525."),
    (socket.gaierror, "host", "There is no server with the name {host}. Look for a typing mistake."),
    (ConnectionRefusedError, "port", "{host} refuses connections on port {port}. Is it 587 or 465?"),
    (
        ssl.SSLCertVerificationError,
        "host",
        "The certificate of {host} does not prove its name, so nothing was sent: {error.verify_message}.",
    ),
    (ssl.SSLError, "port", "{host} does not speak TLS on port {port}: {error}"),
    (smtplib.SMTPAuthenticationError, "password", "{host} refused the user name or the password."),
    (
        smtplib.SMTPNotSupportedError,
        "security",
        "{host} offers no encryption or no sign-in on port {port}, so the password did not go over the line. {error}",
    ),
    (smtplib.SMTPServerDisconnected, "port", "{host} hung up. Is port {port} the right one for this kind of TLS?"),
    (smtplib.SMTPException, "host", "{host} answered something else than expected: {error}"),
)
