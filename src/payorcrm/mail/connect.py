"""Connects to a mail server, secures the line and signs in; says in words what went wrong."""

import smtplib
import ssl
from collections.abc import Mapping
from enum import Enum
from math import inf
from typing import Any

from payorcrm.core.errors import Unavailable
from payorcrm.mail.guard import GuardedSmtp, GuardedSmtpOverTls

SECONDS_TO_ANSWER = 30


class Step(Enum):
    """How far one comes with a mail server before the first mail."""

    CONNECT, SECURE, SIGN_IN, NAME_SENDER = range(4)


class CannotConnect(Unavailable):
    """The mail server does not let us in."""

    code = "cannot_connect_to_mail_server"
    message = "The mail server cannot be reached."

    def __init__(self, message: str, step: "Step") -> None:
        super().__init__(message)
        self.step = step


def connect(server: Mapping[str, Any], *, own_name: str) -> smtplib.SMTP:
    """Connect, secure the line as configured and sign in. Raises CannotConnect, which says what went wrong."""
    connection, step = None, Step.CONNECT
    try:
        connection = _dial(server, own_name)
        step = Step.SECURE
        _secure(connection, server)
        step = Step.SIGN_IN
        _sign_in(connection, server)
    except OSError as error:
        if connection:
            connection.close()
        place = f"{server['host']}:{server['port']}"
        raise CannotConnect(f"The mail server {place} {_trouble(error)}: {said_by(error)}", step) from error
    return connection


def _trouble(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "could not prove who it is"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "refused our user name or password"
    return "did not answer as expected" if isinstance(error, smtplib.SMTPException) else "cannot be reached"


def _dial(server: Mapping[str, Any], own_name: str) -> smtplib.SMTP:
    is_guarded = server.get("is_guarded", False)
    options = {"local_hostname": own_name, "timeout": server.get("seconds", SECONDS_TO_ANSWER)}
    if is_guarded:
        options["until"] = server.get("until", inf)
    if server["security"] == "tls":
        over_tls = GuardedSmtpOverTls if is_guarded else smtplib.SMTP_SSL
        return over_tls(server["host"], server["port"], context=ssl.create_default_context(), **options)
    plain = GuardedSmtp if is_guarded else smtplib.SMTP
    return plain(server["host"], server["port"], **options)


def _secure(connection: smtplib.SMTP, server: Mapping[str, Any]) -> None:
    connection.ehlo_or_helo_if_needed()
    wanted = server["security"] == "starttls" or (
        server["security"] == "opportunistic" and connection.has_extn("starttls")
    )
    if wanted:
        if connection.sock:
            connection.sock.settimeout(connection.timeout)  # shaking hands is to take no longer than what is left
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo()


def _sign_in(connection: smtplib.SMTP, server: Mapping[str, Any]) -> None:
    if not server["user"]:
        return
    is_secret = isinstance(connection.sock, ssl.SSLSocket)
    if not is_secret and server["security"] != "none":
        raise smtplib.SMTPNotSupportedError("it offers no encryption, and our password does not go over an open line")
    connection.login(server["user"], server["password"])


def has_hung(error: BaseException) -> bool:
    """Say whether nothing came for too long: the next mail would wait as long; smtplib wraps the time-out."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def said_by(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_bytes(error.smtp_error).decode('utf-8', 'replace')}"
    return str(error) or type(error).__name__


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
