"""Connections to mail servers that merchants name: only to addresses that this installation allows.

A name is looked up once, and the address that was checked is the one that is dialled, so that a name which changes in
between leads nowhere else. The certificate is still that of the name.
"""

import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import inf
from typing import Any

from django.conf import settings

USUAL_PORTS = frozenset({25, 465, 587, 2525})
MOST_TRIED = 3
# No answer to a command of mail is longer.
MOST_SAID = 100_000
# Addresses of IPv6 that stand for one of IPv4 (RFC 6052, section 2.1).
_NAT64 = ip_network("64:ff9b::/96")
# From here alone IANA hands out addresses of IPv6. Older versions of Python take many of the others for public ones,
# such as those of a network's own translators to IPv4 (RFC 8215) and those that were once for sites (RFC 3879).
_UNICAST = ip_network("2000::/3")
_FOR_PROTOCOLS = ip_network("192.0.0.0/24")


class NotAllowed(OSError):
    """The address or port belongs to a network that merchants' mail servers may not be in."""


class SaysTooMuch(OSError):
    """A server talks without end."""


class NameHangs(TimeoutError):
    """Nobody says in time which address a name has."""


class GuardedSmtp(smtplib.SMTP):
    """Dials checked addresses only, and waits for a whole answer no longer than for its first letter.

    With `until`, a moment of the monotonic clock, all that it does together takes no longer.
    """

    _until = inf

    def __init__(self, host: str, port: int, *, until: float = inf, **options: Any) -> None:
        self._until = until
        super().__init__(host, port, **options)

    @property
    def timeout(self) -> float:  # type: ignore[override]
        """How long to wait for the next thing."""
        return max(min(self._seconds, self._until - time.monotonic()), 0.001)

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._seconds = seconds

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found = dial(host, port, timeout, self._until)
        found.settimeout(self.timeout)
        return found

    def getreply(self) -> tuple[int, bytes]:
        """Return what the server answers; one that talks on and on is left."""
        if self.file is None and self.sock:
            self.file = Answers(self.sock)
        if isinstance(self.file, Answers):
            self.file.begin(self.timeout)
        return super().getreply()


class Answers:
    """The lines that a server says: each answer as a whole within the time and length that it may take."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._heard = bytearray()

    def begin(self, seconds: float) -> None:
        """Wait so long for a new answer."""
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._left = MOST_SAID

    def readline(self, most: int) -> bytes:
        """Return the next line, or its first `most` bytes. Raises TimeoutError, SaysTooMuch."""
        while (end := self._heard.find(b"\n") + 1) == 0 and len(self._heard) < most and (more := self._more()):
            self._heard += more
        line = bytes(self._heard[: min(end or most, most)])
        del self._heard[: len(line)]
        self._left -= len(line)
        if self._left < 0:
            raise SaysTooMuch("it says more than any answer to a command")
        return line

    def _more(self) -> bytes:
        self._sock.settimeout(max(self._until - time.monotonic(), 0.001))
        try:
            more: bytes = self._sock.recv(8192)
        finally:
            self._sock.settimeout(self._seconds)
        return more

    def close(self) -> None:
        """Leave the socket to the connection."""


class GuardedSmtpOverTls(smtplib.SMTP_SSL, GuardedSmtp):
    """The same with TLS from the first byte; the certificate must be that of the name."""

    def __init__(self, host: str, port: int, *, until: float = inf, **options: Any) -> None:
        self._until = until
        super().__init__(host, port, **options)


def dial(host: str, port: int, timeout: float, until: float = inf) -> socket.socket:
    """Connect to the first allowed address of a host that answers. Raises OSError, NotAllowed among them."""
    trouble: OSError = NotAllowed(f"{host}:{port} is not an address for mail servers here")
    for address in list(_allowed_addresses(host, port, timeout))[:MOST_TRIED]:
        try:
            return socket.create_connection((str(address), port), max(min(timeout, until - time.monotonic()), 0.001))
        except OSError as error:
            trouble = error
    raise trouble


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a name. Raises OSError, NameHangs among them.

    How long the system asks for a name cannot be told to it, so a thread asks, and is left if that takes too long.
    """
    found: Future[list[str]] = Future()

    def ask() -> None:
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result(list(dict.fromkeys(str(place[0]) for *_, place in places)))
        except UnicodeError as error:  # a part of the name is empty or too long
            found.set_exception(socket.gaierror(socket.EAI_NONAME, str(error)))
        except OSError as error:
            found.set_exception(error)

    threading.Thread(target=ask, daemon=True, name="look up").start()
    try:
        return found.result(seconds)
    except TimeoutError as error:
        raise NameHangs(f"the name {host} could not be looked up in time") from error


def _allowed_addresses(host: str, port: int, seconds: float) -> Iterator[IPv4Address | IPv6Address]:
    for text in look_up(host, port, seconds):
        address = ip_address(text.partition("%")[0])
        if is_allowed(address, port):
            yield address


def is_allowed(address: IPv4Address | IPv6Address, port: int) -> bool:
    """Say whether a merchant's mail server may be there: public and on a usual port, or named by the installation."""
    inner = _inner(address)
    if any(inner in ip_network(network, strict=False) for network in settings.MERCHANT_MAIL_NETWORKS):
        return True
    is_given_out = inner in _UNICAST if isinstance(inner, IPv6Address) else inner not in _FOR_PROTOCOLS
    return is_given_out and inner.is_global and not inner.is_multicast and port in USUAL_PORTS


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the address of IPv4 that one of IPv6 stands for."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
