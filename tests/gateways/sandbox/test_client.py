"""The adapter against servers that misbehave: what may have arrived is unknown, and no call outlives its deadline."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from payorcrm.gateways.base import Credentials, Outcome
from payorcrm.gateways.sandbox.gateway import SandboxGateway
from tests.gateways.kit import request_for

GATEWAY = SandboxGateway(Credentials("pk", "sk", "whsec"))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection after another with a function that writes whatever it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    with suppress(OSError):
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def cut(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def nonsense(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example ready\r\n")


def half_an_answer(connection: socket.socket) -> None:
    connection.sendall(HEAD + b'{"object": "charge", "status": "succeeded"')


def a_page(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<p/>")


def a_redirect(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 2\r\n\r\n{}")


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def byte_by_byte(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def body_byte_by_byte(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "answer",
    [cut, nonsense, half_an_answer, a_page, a_redirect, silence, byte_by_byte, body_byte_by_byte],
    ids=lambda answer: answer.__name__,
)
def test_charge_without_a_readable_answer_in_time_is_unknown(answer: Callable[[socket.socket], None], settings) -> None:
    settings.GATEWAY_TIMEOUT_SECONDS = 0.6
    began = time.monotonic()

    with server(answer) as settings.SANDBOX_URL:
        result = GATEWAY.charge(request_for("pm_1"))

    assert result.outcome is Outcome.UNKNOWN
    assert time.monotonic() - began < 1.6


def test_server_that_does_not_listen_was_sent_nothing(settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.SANDBOX_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"

    assert GATEWAY.charge(request_for("pm_1")).outcome is Outcome.NOT_SENT


def test_connection_is_kept_for_the_next_call(sandbox_kit) -> None:
    from payorcrm.gateways.sandbox.client import _pools

    for _ in range(5):
        sandbox_kit.gateway.look_up("never-sent")

    pool = _pools.connection_from_url(sandbox_kit.settings.SANDBOX_URL)
    assert pool.num_requests >= 5
    assert pool.num_connections <= 20
