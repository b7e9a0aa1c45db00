"""The processor itself: rows that survive a kill, webhooks, settling, and what it never stores."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from payorcrm.gateways.base import GatewayEvent, GatewayUnavailable, MethodKind, MethodNotAccepted, Outcome
from payorcrm.gateways.sandbox.gateway import SandboxGateway
from payorcrm.gateways.sandbox.processor.decide import clears_on
from payorcrm.gateways.sandbox.processor.deliver import MOST_TRIES, delay_after
from payorcrm.gateways.sandbox.processor.test_numbers import BANK_ACCOUNTS, CARDS
from payorcrm.gateways.sandbox.provision import create_test_method, open_test_account, return_debit, step_debits
from tests.factories.sandbox import SOURCE, free_port, running_sandbox
from tests.gateways.kit import request_for
from tests.gateways.sandbox.kit import SandboxKit

README = SOURCE / "payorcrm/gateways/sandbox/README.md"


class Receiver:
    """A web address that collects what is posted to it, and answers as it is told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[int] = []
        self.received: list[tuple[dict[str, str], bytes]] = []


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.received.append((dict(self.headers), body))
            self.send_response(heard.answers.pop(0) if heard.answers else 204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    heard = Receiver(f"http://127.0.0.1:{server.server_port}/webhooks/")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield heard
    server.shutdown()
    server.server_close()


def wait_for(is_so: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "It did not come about in time."
        time.sleep(0.05)


def account_told_at(url: str) -> SandboxGateway:
    return SandboxGateway(open_test_account(f"Merchant {uuid.uuid4().hex}", url))


def charge_card(gateway: SandboxGateway, number: str) -> str:
    method = create_test_method(gateway._credentials, MethodKind.CARD, number)
    return gateway.charge(request_for(method.token)).reference


def test_webhook_is_signed_and_read_by_the_adapter(sandbox) -> None:
    with receiver() as heard:
        gateway = account_told_at(heard.url)
        reference = charge_card(gateway, "4242424242424242")
        wait_for(lambda: bool(heard.received))

    event: GatewayEvent = gateway.read_webhook(*heard.received[0])
    assert (event.kind, event.charge_reference) == ("charge.succeeded", reference)


def test_webhook_is_sent_again_until_it_is_accepted(sandbox) -> None:
    with receiver() as heard:
        heard.answers = [500]
        gateway = account_told_at(heard.url)
        charge_card(gateway, "4242424242424242")
        wait_for(lambda: len(heard.received) == 2)

    ids = {gateway.read_webhook(headers, body).event_id for headers, body in heard.received}
    assert len(ids) == 1


def test_delays_between_tries_grow_and_end() -> None:
    delays = [delay_after(attempts) for attempts in range(1, MOST_TRIES + 1)]

    seconds = [delay.total_seconds() for delay in delays if delay]
    assert seconds == sorted(set(seconds))
    assert seconds[0] == 2
    assert delays[-1] is None


def test_silent_charge_is_told_by_webhook(sandbox) -> None:
    with receiver() as heard:
        gateway = account_told_at(heard.url)
        request = request_for(create_test_method(gateway._credentials, MethodKind.CARD, "4100000000081001").token)
        silent = gateway.charge(request)
        wait_for(lambda: bool(heard.received))

    assert silent.outcome is Outcome.UNKNOWN
    assert request.idempotency_key in heard.received[0][1].decode()


def test_opening_an_account_again_keeps_its_keys(sandbox) -> None:
    name = f"Merchant {uuid.uuid4().hex}"

    first = open_test_account(name, "http://127.0.0.1:8000/a/")
    again = open_test_account(name, "http://127.0.0.1:8000/b/")

    assert again == first
    assert SandboxGateway(again).look_up("never-sent").outcome is Outcome.NOT_SENT


def test_accounts_are_opened_with_the_admin_key_alone(sandbox, settings) -> None:
    settings.SANDBOX_ADMIN_KEY = "guessed"

    with pytest.raises(GatewayUnavailable, match="401"):
        open_test_account("Intruder", "")


def test_one_account_cannot_see_or_use_what_belongs_to_another(sandbox_kit: SandboxKit) -> None:
    stranger = account_told_at("")
    token = sandbox_kit.method(MethodKind.CARD, "succeeds")
    request = request_for(token)
    charged = sandbox_kit.gateway.charge(request)

    assert stranger.look_up(request.idempotency_key).outcome is Outcome.NOT_SENT
    assert stranger.charge(request_for(token)).outcome is Outcome.DECLINED
    assert charged.reference not in [event.charge_reference for event in stranger.fetch_events(charged.occurred_at)]
    with pytest.raises(MethodNotAccepted):
        stranger.finish_saving_method(sandbox_kit.browser_token(), reusable=True)


@pytest.mark.parametrize(
    "account",
    [each for each in BANK_ACCOUNTS if each.behaviour.startswith("returns")],
    ids=lambda account: account.behaviour,
)
def test_test_account_returns_as_its_table_says(account, sandbox_kit: SandboxKit) -> None:
    method = create_test_method(sandbox_kit.credentials, MethodKind.BANK_ACCOUNT, account.number)
    request = request_for(method.token, kind=MethodKind.BANK_ACCOUNT)
    word, _, code = account.behaviour.partition(":")

    sandbox_kit.gateway.charge(request)
    outcomes = []
    while step_debits(sandbox_kit.credentials):
        outcomes.append(sandbox_kit.gateway.look_up(request.idempotency_key).outcome)

    late = [Outcome.SUCCEEDED, Outcome.RETURNED]
    assert outcomes == (late if word == "returns_late" else late[1:])
    assert sandbox_kit.gateway.look_up(request.idempotency_key).return_code == code


@pytest.mark.parametrize(
    "card", [each for each in CARDS if each.behaviour.startswith("declines")], ids=lambda card: card.behaviour
)
def test_test_card_declines_as_its_table_says(card, sandbox_kit: SandboxKit) -> None:
    method = create_test_method(sandbox_kit.credentials, MethodKind.CARD, card.number)

    assert sandbox_kit.gateway.charge(request_for(method.token)).outcome is Outcome.DECLINED


def test_account_refused_at_entry_makes_no_method(sandbox_kit: SandboxKit) -> None:
    with pytest.raises(MethodNotAccepted, match="does not know"):
        create_test_method(sandbox_kit.credentials, MethodKind.BANK_ACCOUNT, "000444444001")


def test_debit_without_an_entry_class_is_refused(sandbox_kit: SandboxKit) -> None:
    token = sandbox_kit.method(MethodKind.BANK_ACCOUNT, "succeeds")

    result = sandbox_kit.gateway.charge(request_for(token, kind=MethodKind.CARD))

    assert result.outcome is Outcome.DECLINED
    assert "entry_class" in result.decline_message


def test_returned_debit_returns_no_second_time(sandbox_kit: SandboxKit) -> None:
    token = sandbox_kit.method(MethodKind.BANK_ACCOUNT, "succeeds")
    pending = sandbox_kit.gateway.charge(request_for(token, kind=MethodKind.BANK_ACCOUNT))
    return_debit(sandbox_kit.credentials, pending.reference, "R02")

    with pytest.raises(GatewayUnavailable, match="409"):
        return_debit(sandbox_kit.credentials, pending.reference, "R03")


def test_no_full_number_is_stored(sandbox_kit: SandboxKit) -> None:
    create_test_method(sandbox_kit.credentials, MethodKind.CARD, "4000000050000027")
    create_test_method(sandbox_kit.credentials, MethodKind.BANK_ACCOUNT, "000123455456")
    sandbox_kit.gateway.finish_saving_method(sandbox_kit.browser_token(), reusable=True)

    stored = str(sandbox_kit.rows("SELECT to_jsonb(methods)::text FROM sandbox.methods"))

    assert '"last4": "0027"' in stored
    assert not re.search(r"4000000050000027|000123455456|4242424242424242", stored)


def test_readme_shows_every_test_number_with_its_meaning() -> None:
    text = README.read_text()
    shown = dict(re.findall(r"^\| (\d{9,}) \| (.+) \|$", text, re.MULTILINE))

    assert shown == {each.number: each.meaning for each in (*CARDS, *BANK_ACCOUNTS)}


def test_debit_is_expected_on_the_second_weekday() -> None:
    assert clears_on(date(2026, 11, 19)) == date(2026, 11, 23)
    assert clears_on(date(2026, 11, 20)) == date(2026, 11, 24)
    assert clears_on(date(2026, 11, 21)) == date(2026, 11, 24)


def test_processor_needs_no_django() -> None:
    code = (
        "import sys, payorcrm.gateways.sandbox.processor.app as app; assert app.app;"
        "sys.exit(any(name.split('.')[0] == 'django' or name.startswith('payorcrm.config') for name in sys.modules))"
    )

    finished = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(SOURCE)}, check=False)

    assert finished.returncode == 0


def test_all_is_kept_and_goes_on_after_a_kill(other_database: str, settings) -> None:
    settings.SANDBOX_ADMIN_KEY = key = "the same admin key"
    options = {"admin_key": key, "port": free_port(), "SANDBOX_SETTLE_SECONDS": "1"}
    with receiver() as heard:
        heard.answers = [503]
        with running_sandbox(other_database, **options) as first:
            settings.SANDBOX_URL = first.url
            gateway = account_told_at(heard.url)
            method = create_test_method(gateway._credentials, MethodKind.BANK_ACCOUNT, "000222222010")
            request = request_for(method.token, kind=MethodKind.BANK_ACCOUNT)
            assert gateway.charge(request).outcome is Outcome.PENDING
            os.killpg(first.process_id, signal.SIGKILL)
        with running_sandbox(other_database, **options):
            wait_for(lambda: gateway.look_up(request.idempotency_key).outcome is Outcome.RETURNED)
            wait_for(lambda: len({body for _, body in heard.received}) == 3, seconds=40)

    kinds = sorted({gateway.read_webhook(headers, body).kind for headers, body in heard.received})
    assert kinds == ["charge.pending", "charge.returned", "charge.succeeded"]
