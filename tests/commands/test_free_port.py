"""A busy port is named, and the next free one is found."""

import socket
from collections.abc import Iterator

import pytest

from payorcrm.commands.free_port import PortIsBusy, next_free_port, refuse_busy_port
from payorcrm.core.errors import Unavailable


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_busy_port_is_refused_by_number_and_with_a_way_out(busy_port: int) -> None:
    with pytest.raises(PortIsBusy, match=f"Port {busy_port} of 127.0.0.1 is in use .* Use PORT=8100."):
        refuse_busy_port("127.0.0.1", busy_port, hint="Use PORT=8100.")


def test_next_free_port_passes_over_a_busy_one(busy_port: int) -> None:
    found = next_free_port("127.0.0.1", busy_port)

    assert found > busy_port
    refuse_busy_port("127.0.0.1", found)


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Unavailable, match=r"Nothing can listen on port 8000 of 192\.0\.2\.1"):
        refuse_busy_port("192.0.2.1", 8000)
