"""Tries a merchant's mail server as far as sending goes without a mail, and says which step failed, for people."""

import smtplib
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from typing import Any, ClassVar

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.mail.guard import NotAllowed
from payorcrm.mail.transport import CannotConnect, connect


class ServerDoesNotWork(Refused):
    """A mail server cannot be used as it was typed; `field` says which of its settings to look at."""

    code = "mail_server_does_not_work"
    status: ClassVar[int] = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_server(server: Mapping[str, Any], *, sender: str) -> None:
    """Connect, secure the line, sign in and name the sender. Raises ServerDoesNotWork. Never in a transaction."""
    with transaction.atomic(durable=True):
        pass  # a durable block refuses to be nested
    try:
        connection = connect(server, own_name=sender.rpartition("@")[2])
    except CannotConnect as error:
        raise _explained(error.__cause__ or error, server) from error
    with closing(connection):
        _name_sender(connection, sender)


def _name_sender(connection: smtplib.SMTP, sender: str) -> None:
    try:
        code, text = connection.mail(sender)
        connection.rset()
    except OSError as error:
        raise ServerDoesNotWork("host", f"The server hung up when it was told the sender: {error}") from error
    if code != 250:
        said = text.decode("utf-8", "replace")
        raise ServerDoesNotWork("from_address", f"The server does not let you send from {sender}: {code} {said}")


def _explained(error: BaseException, server: Mapping[str, Any]) -> ServerDoesNotWork:
    host, port = server["host"], server["port"]
    for kind, field, words in STEPS:
        if isinstance(error, kind):
            return ServerDoesNotWork(field, words.format(host=host, port=port, error=error))
    return ServerDoesNotWork("host", f"{host} cannot be reached on port {port}: {error}")


# The first one that fits; what is more special stands before what is more general.
STEPS: tuple[tuple[type[BaseException], str, str], ...] = (
    (NotAllowed, "host", "{host} on port {port} is not a mail server on the internet. Ports are 25, 465, 587 or 2525."),
    (socket.gaierror, "host", "There is no server with the name {host}. Look for a typing mistake."),
    (ConnectionRefusedError, "port", "{host} refuses connections on port {port}. Is it 587 or 465?"),
    (TimeoutError, "port", "{host} does not answer on port {port}. Is it 587 or 465?"),
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
