"""The sandbox's kit for the contract, and a small browser-less client of its pages."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import psycopg
import urllib3

from payorcrm.gateways.base import Credentials, MethodKind
from payorcrm.gateways.sandbox.gateway import SandboxGateway
from payorcrm.gateways.sandbox.processor.deliver import signature
from payorcrm.gateways.sandbox.provision import (
    create_test_method,
    deposits_of,
    fail_refund,
    open_test_account,
    return_debit,
    send_debit,
    step_debits,
)
from tests.factories.sandbox import free_port

NUMBERS = {
    (MethodKind.CARD, "succeeds"): "4242424242424242",
    (MethodKind.CARD, "declines"): "4000000000009995",
    (MethodKind.CARD, "asks"): "4000002760003184",
    (MethodKind.CARD, "hangs_after"): "4100000000081001",
    (MethodKind.CARD, "hangs_before"): "4100000000052002",
    (MethodKind.BANK_ACCOUNT, "succeeds"): "000123456789",
    (MethodKind.BANK_ACCOUNT, "declines"): "000333333001",
    (MethodKind.BANK_ACCOUNT, "needs_deposits"): "000111111113",
    (MethodKind.BANK_ACCOUNT, "hangs_after"): "000333333101",
    (MethodKind.BANK_ACCOUNT, "hangs_before"): "000333333102",
}
CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123", "name": "Ada Example"}
BANK_ACCOUNT = {
    "routing_number": "110000000",
    "name": "Ada Example",
    "account_type": "checking",
    "holder_type": "business",
}
RETURN_URL = "http://localhost:8000/back/?step=2"


@dataclass
class SandboxKit:
    """One account at the running processor."""

    gateway: SandboxGateway
    credentials: Credentials
    database_url: str
    settings: Any

    @classmethod
    def on_a_new_account(cls, database_url: str, settings: Any) -> "SandboxKit":
        credentials = open_test_account(f"Merchant {uuid.uuid4().hex}", "")
        return cls(SandboxGateway(credentials), credentials, database_url, settings)

    def method(self, kind: MethodKind, behaviour: str) -> str:
        return create_test_method(self.credentials, kind, NUMBERS[kind, behaviour]).token

    def single_use_method(self) -> str:
        return create_test_method(self.credentials, MethodKind.CARD, "4242424242424242", reusable=False).token

    def browser_token(self, kind: MethodKind = MethodKind.CARD, behaviour: str = "succeeds") -> str:
        number = NUMBERS[kind, behaviour]
        account = BANK_ACCOUNT | {"account_number": number, "account_number_again": number}
        answer = post_form(self.hosted_url(kind), CARD | {"number": number} if kind is MethodKind.CARD else account)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["method_token"][0]

    def hosted_url(self, kind: MethodKind = MethodKind.CARD) -> str:
        parent = self.settings.PUBLIC_URL
        return self.gateway.start_saving_method(kind, return_url=RETURN_URL, parent_origin=parent).hosted_url

    def deposits_of(self, token: str) -> tuple[int, int]:
        first, second = deposits_of(self.credentials, token)
        return first, second

    def settle(self) -> None:
        step_debits(self.credentials)

    def send_back(self, reference: str, return_code: str) -> None:
        return_debit(self.credentials, reference, return_code)

    def send_to_bank(self, reference: str) -> None:
        send_debit(self.credentials, reference)

    def fail_refund(self, reference: str) -> None:
        fail_refund(self.credentials, reference)

    def pass_second_step(self, action_url: str) -> None:
        post_form(action_url, {"answer": "complete"})

    def fail_second_step(self, action_url: str) -> None:
        post_form(action_url, {"answer": "fail"})

    def genuine_webhook(self) -> tuple[Mapping[str, str], bytes]:
        body = (
            '{"id": "evt_1", "type": "charge.succeeded", "charge": "ch_1", "occurred_at": "2026-11-20T15:00:00+00:00"}'
        )
        return {"Sandbox-Signature": signature(self.credentials.webhook_secret, body, int(time.time()))}, body.encode()

    def charges_of(self, idempotency_key: str) -> int:
        query = "SELECT count(*) FROM sandbox.charges WHERE idempotency_key = %s AND status = 'succeeded'"
        return int(self.rows(query, idempotency_key)[0][0])

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query, values).fetchall()

    def with_wrong_key(self) -> SandboxGateway:
        return SandboxGateway(replace(self.credentials, secret_key="sk_sandbox_wrong"))

    def go_away(self) -> None:
        self.settings.SANDBOX_URL = f"http://127.0.0.1:{free_port()}"


def post_form(url: str, fields: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
    """Post a form as a browser without JavaScript would, and return the answer without following it."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return urllib3.request("POST", url, body=urlencode(fields), headers=headers, redirect=False, retries=False)
