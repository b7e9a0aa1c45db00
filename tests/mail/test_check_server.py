"""A merchant's mail server is tried step by step, and the step that fails is named."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from itertools import repeat

import pytest
from pytest_django import Settings

from payorcrm.mail.check_server import ServerDoesNotWork, check_server
from payorcrm.mail.guard import is_allowed
from tests.factories.smtp import ScriptedServer, accept_only
from tests.mail.test_transport import certificate, context, secure_server, trusted

__all__ = ["certificate", "context", "secure_server", "trusted"]

pytestmark = pytest.mark.django_db


def place(server: ScriptedServer | None = None, **changes: object) -> dict[str, object]:
    found = {"host": "localhost", "port": server.port if server else 1, "user": "", "password": ""}
    return {**found, "security": "opportunistic", "seconds": 2, "is_guarded": True, **changes}


def refusal(server: dict[str, object]) -> tuple[str, str]:
    with pytest.raises(ServerDoesNotWork) as caught:
        check_server(server, sender="us@harbor.example")
    return caught.value.field, str(caught.value)


def test_a_server_that_works_is_left_without_a_mail(secure_server: ScriptedServer, trusted: None) -> None:
    check_server(place(secure_server, user="us", password="secret", security="starttls"), sender="us@harbor.example")

    assert secure_server.raw == []


def test_a_name_that_nobody_has() -> None:
    field, words = refusal(place(host="no-such-host.invalid"))

    assert (field, words) == (
        "host",
        "There is no server with the name no-such-host.invalid. Look for a typing mistake.",
    )


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example"])
def test_a_name_that_is_none(host: str) -> None:
    assert refusal(place(host=host))[0] == "host"


def test_a_port_where_nobody_listens() -> None:
    field, words = refusal(place())

    assert field == "port"
    assert "refuses connections on port 1" in words


def test_a_certificate_that_proves_nothing(secure_server: ScriptedServer) -> None:
    field, words = refusal(place(secure_server, security="starttls"))

    assert field == "host"
    assert "The certificate of localhost does not prove its name" in words


def test_a_wrong_password(secure_server: ScriptedServer, trusted: None) -> None:
    field, words = refusal(place(secure_server, user="us", password="wrong"))

    assert (field, words) == ("password", "localhost refused the user name or the password.")


def test_a_server_without_encryption(server: ScriptedServer) -> None:
    assert refusal(place(server, security="starttls"))[0] == "security"
    field, words = refusal(place(server, user="us", password="secret"))

    assert field == "security"
    assert "the password did not go over the line" in words


def test_a_sender_that_the_server_does_not_accept(server: ScriptedServer) -> None:
    server.at_sender = ["553 not yours"]

    field, words = refusal(place(server))

    assert field == "from_address"
    assert "does not let you send from us@harbor.example: 553 not yours" in words


def test_plain_words_to_a_port_that_speaks_tls(context: object) -> None:
    over_tls = ScriptedServer(ssl_context=context, authenticator=accept_only(b"us", b"secret"))

    assert refusal(place(over_tls))[0] == "port"

    over_tls.stop()


@contextmanager
def talker(pieces: Iterator[bytes], pause: float = 0) -> Iterator[int]:
    """A server that says pieces of a greeting until it is left, for a few seconds at most; yields its port."""
    listening, until = socket.create_server(("localhost", 0)), time.monotonic() + 4

    def talk() -> None:
        visitor, _ = listening.accept()
        with visitor:
            try:
                while time.monotonic() < until:
                    visitor.sendall(next(pieces))
                    time.sleep(pause)
            except (OSError, StopIteration):
                pass

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        talking.join()
        listening.close()


@pytest.mark.parametrize(
    ("piece", "pause"),
    [(b"220-welcome\r\n" * 500, 0), (b"220-welcome\r\n", 0.1), (b"x", 0.1)],
    ids=["lines without end", "a line now and then", "a letter now and then"],
)
def test_a_greeting_without_end_holds_nobody_up(piece: bytes, pause: float) -> None:
    began = time.monotonic()

    with talker(repeat(piece), pause) as port:
        field, words = refusal(place(port=port, seconds=1))

    assert field == "port"
    assert "hung up" in words or "does not greet" in words
    assert time.monotonic() - began < 3


GREETS = b"220 mail\r\n"
CAPABLE = b"250-mail\r\n250 AUTH PLAIN\r\n"


@contextmanager
def hanging_after(*answers: bytes) -> Iterator[int]:
    """A server that greets and answers so often, then listens in silence until it is left; yields its port."""
    with socket.create_server(("localhost", 0)) as listening:

        def answer() -> None:
            visitor, _ = listening.accept()
            with visitor:
                for each in answers:
                    visitor.sendall(each)
                    visitor.recv(1000)
                while visitor.recv(1000):
                    pass

        answering = threading.Thread(target=answer)
        answering.start()
        yield int(listening.getsockname()[1])
        answering.join()


@pytest.mark.parametrize(
    ("answers", "changes", "field", "words"),
    [
        ([], {}, "port", "does not greet"),
        ([], {"security": "tls"}, "port", "does not greet"),
        ([GREETS], {}, "security", "hung before the line was encrypted"),
        (
            [GREETS, b"250-mail\r\n250 STARTTLS\r\n"],
            {"security": "starttls"},
            "security",
            "hung before the line",
        ),
        ([GREETS, CAPABLE], {"user": "us", "security": "none"}, "user", "hung when it was told the user name"),
        ([GREETS, b"250 mail\r\n"], {}, "from_address", "hung when it was told the sender"),
    ],
)
def test_a_server_that_hangs_is_left_in_time_and_the_step_is_named(answers, changes, field, words, monkeypatch) -> None:
    monkeypatch.setattr("payorcrm.mail.check_server.SECONDS_IN_ALL", 0.3)
    began = time.monotonic()

    with hanging_after(*answers) as port:
        named, said = refusal(place(port=port, seconds=10, **changes))

    assert (named, words in said) == (field, True), said
    assert time.monotonic() - began < 3


def test_a_name_that_is_looked_up_for_too_long(monkeypatch) -> None:
    """No resolver here can be made to hang, so the system's own question waits until the test is over."""
    over = threading.Event()
    monkeypatch.setattr("payorcrm.mail.guard.socket.getaddrinfo", lambda *_, **__: over.wait(5) and [])
    monkeypatch.setattr("payorcrm.mail.check_server.SECONDS_IN_ALL", 0.2)

    field, words = refusal(place(host="slow.example", seconds=10))
    over.set()

    assert (field, "which address slow.example has" in words) == ("host", True)


def test_a_private_place_is_refused_before_anything_is_dialled(server: ScriptedServer, settings: Settings) -> None:
    settings.MERCHANT_MAIL_NETWORKS = []

    field, words = refusal(place(server))

    assert field == "host"
    assert "is not a mail server on the internet" in words
    assert server.connection_count == 0


@pytest.mark.parametrize(
    ("address", "port", "allowed"),
    [
        ("93.184.215.14", 587, True),
        ("93.184.215.14", 22, False),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 465, True),
        ("10.1.2.3", 587, False),
        ("127.0.0.1", 25, False),
        ("169.254.169.254", 25, False),
        ("100.64.0.1", 25, False),
        ("0.0.0.0", 25, False),
        ("224.0.0.1", 25, False),
        ("::1", 25, False),
        ("fd00::1", 25, False),
        ("fec0::1", 25, False),
        ("64:ff9b:1::7f00:1", 25, False),
        ("::ffff:0:7f00:1", 25, False),
        ("192.0.0.8", 25, False),
        ("::ffff:10.0.0.1", 25, False),
        ("64:ff9b::a00:1", 25, False),
        ("2002:a00:1::", 25, False),
        ("192.168.7.9", 2525, True),
        ("192.168.7.9", 9999, True),
    ],
)
def test_where_a_merchants_server_may_be(address: str, port: int, allowed: object, settings: Settings) -> None:
    settings.MERCHANT_MAIL_NETWORKS = ["192.168.7.0/24"]

    assert is_allowed(ip_address(address), port) is allowed
