"""Ports: whether one is free, and the next one that is."""

import errno
import socket
from typing import ClassVar

from payorcrm.core.errors import Unavailable

_BUSY = (errno.EADDRINUSE,)


class PortIsBusy(Unavailable):
    """Another program listens on the port."""

    code: ClassVar[str] = "port_is_busy"

    def __init__(self, host: str, port: int, hint: str) -> None:
        super().__init__(f"Port {port} of {host} is in use by another program. {hint}")


def refuse_busy_port(host: str, port: int, *, hint: str = "Choose another one with --port.") -> None:
    """Make sure that a server can listen there. Raises PortIsBusy, or Unavailable for an address that is not here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        # As servers do: a port that was just given back counts as free.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen()
        except OSError as error:
            if error.errno in _BUSY:
                raise PortIsBusy(host, port, hint) from error
            raise Unavailable(f"Nothing can listen on port {port} of {host}: {error.strerror}.") from error


def next_free_port(host: str, first: int) -> int:
    """Return the first free port from `first` on, of a hundred. Raises PortIsBusy."""
    for port in range(first, first + 100):
        try:
            refuse_busy_port(host, port)
        except PortIsBusy:
            continue
        return port
    raise PortIsBusy(host, first, "The hundred ports after it are, too.")
