"""The adapter to the sandbox processor: which call is made, and what its silence means."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings

from payorcrm.gateways.base import (
    ChargeRequest,
    ChargeResult,
    Credentials,
    GatewayEvent,
    GatewayUnavailable,
    KeysNotAccepted,
    MethodDetails,
    MethodKind,
    MethodNotAccepted,
    Outcome,
    RefundRequest,
    RefundResult,
    SavingSession,
    VerificationOutcome,
    VerificationResult,
)
from payorcrm.gateways.sandbox import translate, webhook
from payorcrm.gateways.sandbox.client import Answer, NoAnswer, NothingSent, call
from payorcrm.gateways.sandbox.provision import open_test_account

_PAGES = {MethodKind.CARD: "card", MethodKind.BANK_ACCOUNT: "bank"}


class SandboxGateway:
    """One merchant's line to the sandbox processor."""

    name: ClassVar[str] = "sandbox"
    label: ClassVar[str] = "Sandbox"
    is_rehearsal: ClassVar[bool] = True
    opens_test_accounts: ClassVar[bool] = True
    kinds: ClassVar[frozenset[MethodKind]] = frozenset(MethodKind)
    supports_refund: ClassVar[bool] = True
    supports_cancel: ClassVar[bool] = True
    settles_later: ClassVar[frozenset[MethodKind]] = frozenset({MethodKind.BANK_ACCOUNT})
    sends_deposits: ClassVar[bool] = True

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    @classmethod
    def open_test_account(cls, name: str, *, webhook_url: str) -> Credentials:
        """Open an account, or find the one of this name with the keys it has. Raises GatewayUnavailable."""
        return open_test_account(name, webhook_url)

    def check_keys(self) -> str:
        """Ask whose secret key this is, and return the account's id. Raises KeysNotAccepted, GatewayUnavailable."""
        answer = self._ask("GET", "/v1/account")
        if answer.status == 401:
            raise KeysNotAccepted("The processor does not know this secret key. Nothing was stored.")
        account = _accepted(answer)
        if account.get("public_key") != self._credentials.public_key:
            raise KeysNotAccepted("The two keys belong to different accounts. Nothing was stored.")
        return str(account.get("id", ""))

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """Take money once for the request's key. NOT_SENT speaks of this call: an earlier one may have arrived."""
        try:
            answer = self._call(
                "POST", "/v1/charges", translate.charge_body(request), idempotency_key=request.idempotency_key
            )
        except NothingSent:
            return ChargeResult(Outcome.NOT_SENT)
        except NoAnswer:
            return ChargeResult(Outcome.UNKNOWN)
        return translate.charge_result(answer, request)

    def refund(self, request: RefundRequest) -> RefundResult:
        """Give money back once for the request's key. After UNKNOWN the same call again tells what became of it."""
        try:
            answer = self._call(
                "POST", "/v1/refunds", translate.refund_body(request), idempotency_key=request.idempotency_key
            )
        except NothingSent as error:
            return RefundResult(Outcome.NOT_SENT, message=str(error))
        except NoAnswer as error:
            return RefundResult(Outcome.UNKNOWN, message=str(error))
        return translate.refund_result(answer, request)

    def look_up_refund(self, idempotency_key: str) -> RefundResult:
        """Ask what became of the refund sent with a key."""
        try:
            answer = self._call("GET", f"/v1/refunds?{urlencode({'idempotency_key': idempotency_key})}")
        except (NothingSent, NoAnswer):
            return RefundResult(Outcome.UNKNOWN)
        return translate.found_refund(answer, idempotency_key)

    def cancel(self, idempotency_key: str) -> ChargeResult:
        """Void the charge sent with a key, if the bank does not have it yet; return what it is afterwards."""
        try:
            answer = self._call("POST", "/v1/charges/cancel", {"idempotency_key": idempotency_key})
        except (NothingSent, NoAnswer):
            return ChargeResult(Outcome.UNKNOWN)
        return translate.found_charge(answer, idempotency_key)

    def look_up(self, idempotency_key: str) -> ChargeResult:
        """Ask what became of the charge sent with a key."""
        try:
            answer = self._call("GET", f"/v1/charges?{urlencode({'idempotency_key': idempotency_key})}")
        except (NothingSent, NoAnswer):
            return ChargeResult(Outcome.UNKNOWN)
        return translate.found_charge(answer, idempotency_key)

    def start_saving_method(
        self, kind: MethodKind, *, return_url: str, parent_origin: str, language: str = ""
    ) -> SavingSession:
        """Name the addresses of the processor's own fields, in a language if they speak it. Makes no call."""
        key, page = {"key": self._credentials.public_key} | ({"lang": language} if language else {}), _PAGES[kind]
        processor = urlsplit(settings.SANDBOX_URL)
        return SavingSession(
            kind=kind,
            fields_url=f"{settings.SANDBOX_URL}/fields/{page}?{urlencode(key | {'parent': parent_origin})}",
            hosted_url=f"{settings.SANDBOX_URL}/hosted/{page}?{urlencode(key | {'return_url': return_url})}",
            origin=f"{processor.scheme}://{processor.netloc}",
        )

    def finish_saving_method(self, token: str, *, reusable: bool) -> MethodDetails:
        """Exchange the token that the payer's browser brought. Raises MethodNotAccepted, GatewayUnavailable."""
        answer = self._ask("POST", f"/v1/methods/{quote(token, safe='')}/attach", {"reusable": reusable})
        if answer.status in (400, 404, 409):
            raise MethodNotAccepted
        try:
            return translate.method_details(_accepted(answer))
        except (KeyError, ValueError) as error:
            raise GatewayUnavailable from error

    def verify_method(self, token: str, amounts: tuple[int, int]) -> VerificationResult:
        """Send in the amounts of the two deposits, in cents and either order. Never raises for what others do."""
        try:
            answer = self._call("POST", f"/v1/methods/{quote(token, safe='')}/verify", {"amounts": list(amounts)})
        except (NothingSent, NoAnswer):
            return VerificationResult(VerificationOutcome.UNKNOWN)
        return translate.verification_result(answer, token)

    def remove_method(self, token: str) -> None:
        """Make the processor forget a method; one it does not know is forgotten already. Raises GatewayUnavailable."""
        answer = self._ask("DELETE", f"/v1/methods/{quote(token, safe='')}")
        if answer.status != 404:
            _accepted(answer)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Verify and parse what the processor sent. Raises WebhookNotGenuine."""
        return webhook.read_webhook(headers, body, secret=self._credentials.webhook_secret, now=time.time())

    def fetch_events(self, since: datetime) -> list[GatewayEvent]:
        """Return the events since a moment, oldest first, 500 at the most. Raises GatewayUnavailable."""
        body = _accepted(self._ask("GET", f"/v1/events?{urlencode({'since': since.isoformat()})}"))
        try:
            return [translate.event(each, json.dumps(each)) for each in body["events"]]
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise GatewayUnavailable from error

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, idempotency_key: str = ""
    ) -> Answer:
        return call(method, path, key=self._credentials.secret_key, body=body, idempotency_key=idempotency_key)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        try:
            return self._call(method, path, body)
        except (NothingSent, NoAnswer) as error:
            raise GatewayUnavailable from error


def _accepted(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise GatewayUnavailable
    return answer.body
