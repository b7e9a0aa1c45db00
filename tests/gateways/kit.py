"""What the contract needs to know of a processor: how to make it behave."""

import uuid
from collections.abc import Mapping
from typing import Protocol

from payorcrm.core.money import Money
from payorcrm.gateways.base import ChargeRequest, Gateway, MethodKind


class Kit(Protocol):
    """One gateway on an account of its own, and the means to steer its processor.

    Behaviours: `succeeds`, `declines`, `asks` (a second step), `hangs_after` and `hangs_before` (charging), and
    for bank accounts `needs_deposits`.
    """

    gateway: Gateway

    def method(self, kind: MethodKind, behaviour: str) -> str: ...
    def single_use_method(self) -> str: ...
    def browser_token(self, kind: MethodKind = MethodKind.CARD, behaviour: str = "succeeds") -> str: ...
    def deposits_of(self, token: str) -> tuple[int, int]: ...
    def settle(self) -> None: ...
    def send_back(self, reference: str, return_code: str) -> None: ...
    def send_to_bank(self, reference: str) -> None: ...
    def fail_refund(self, reference: str) -> None: ...
    def pass_second_step(self, action_url: str) -> None: ...
    def fail_second_step(self, action_url: str) -> None: ...
    def genuine_webhook(self) -> tuple[Mapping[str, str], bytes]: ...
    def charges_of(self, idempotency_key: str) -> int: ...
    def with_wrong_key(self) -> Gateway: ...
    def go_away(self) -> None: ...


def request_for(
    token: str, amount: str = "120.00", *, kind: MethodKind = MethodKind.CARD, key: str = ""
) -> ChargeRequest:
    """Return a charge under a key of its own."""
    return ChargeRequest(
        idempotency_key=key or uuid.uuid4().hex,
        amount=Money.parse(amount, "USD"),
        kind=kind,
        method_token=token,
        description="Invoices 1001, 1002",
        return_url="http://localhost:8000/back/",
        entry_class="WEB" if kind is MethodKind.BANK_ACCOUNT else "",
    )


def debit_of(kit: Kit, behaviour: str = "succeeds") -> ChargeRequest:
    """Return a debit of a bank account that behaves so."""
    return request_for(kit.method(MethodKind.BANK_ACCOUNT, behaviour), kind=MethodKind.BANK_ACCOUNT)
