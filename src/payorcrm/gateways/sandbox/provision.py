"""Test accounts, test methods and the processor's test controls, for the demo business and the tests."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings

from payorcrm.gateways.base import Credentials, GatewayUnavailable, MethodDetails, MethodKind, MethodNotAccepted
from payorcrm.gateways.sandbox import translate
from payorcrm.gateways.sandbox.client import Answer, NoAnswer, NothingSent, call
from payorcrm.gateways.sandbox.processor.test_numbers import BANKS

TEST_ROUTING_NUMBER = next(iter(BANKS))


def open_test_account(name: str, webhook_url: str, *, origins: Iterable[str] = ()) -> Credentials:
    """Open an account, or update the one of this name, whose keys stay. Raises GatewayUnavailable.

    Its fields may be framed by, and lead back to, `PUBLIC_URL`, the webhook's origin and `origins`. With an empty
    `webhook_url` nothing is sent; the events can still be fetched.
    """
    asked = {"name": name, "webhook_url": webhook_url, "origins": [settings.PUBLIC_URL, *origins]}
    keys = _made(_ask("POST", "/v1/accounts", settings.SANDBOX_ADMIN_KEY, asked))
    return Credentials(keys["public_key"], keys["secret_key"], keys["webhook_secret"])


def create_test_method(
    credentials: Credentials,
    kind: MethodKind,
    number: str,
    *,
    routing_number: str = TEST_ROUTING_NUMBER,
    expiry: tuple[int, int] | None = None,
    holder_name: str = "",
    account_type: str = "checking",
    holder_type: str = "consumer",
    reusable: bool = True,
) -> MethodDetails:
    """Make a method without a browser; `number` is a card's or an account's. Raises MethodNotAccepted."""
    asked: dict[str, Any] = {"kind": kind, "holder_name": holder_name, "reusable": reusable}
    if kind is MethodKind.CARD:
        month, year = expiry or (None, None)
        asked |= {"number": number, "exp_month": month, "exp_year": year}
    else:
        asked |= {"account_number": number, "routing_number": routing_number}
        asked |= {"account_type": account_type, "holder_type": holder_type}
    answer = _ask("POST", "/v1/test/methods", credentials.secret_key, asked)
    if answer.status == 400:
        raise MethodNotAccepted(str(answer.body.get("error", {}).get("message", "")))
    return translate.method_details(_made(answer))


def deposits_of(credentials: Credentials, token: str) -> list[int]:
    """Return the two amounts, in cents, that the owner of an account would read on the statement."""
    answer = _made(_ask("GET", f"/v1/test/methods/{token}/deposits", credentials.secret_key))
    return [int(amount) for amount in answer["amounts"]]


def step_debits(credentials: Credentials) -> int:
    """Let every debit under way settle or return at once, a late return by a second call; return how many did."""
    return int(_made(_ask("POST", "/v1/test/settle", credentials.secret_key, {}))["moved"])


def settle_debit(credentials: Credentials, reference: str) -> None:
    """Let one pending debit settle now."""
    _advance(credentials, reference, {"to": "settled"})


def return_debit(credentials: Credentials, reference: str, return_code: str) -> None:
    """Let the bank send one debit back now, settled or not."""
    _advance(credentials, reference, {"to": "returned", "return_code": return_code})


def send_debit(credentials: Credentials, reference: str) -> None:
    """Hand one debit to the bank now, so that it cannot be canceled any more."""
    _made(_ask("POST", f"/v1/test/charges/{reference}/send", credentials.secret_key, {}))


def fail_refund(credentials: Credentials, reference: str) -> None:
    """Let the bank refuse one refund that is under way."""
    _made(_ask("POST", f"/v1/test/refunds/{reference}/fail", credentials.secret_key, {}))


def _advance(credentials: Credentials, reference: str, asked: dict[str, str]) -> None:
    _made(_ask("POST", f"/v1/test/charges/{reference}/advance", credentials.secret_key, asked))


def _ask(method: str, path: str, key: str, body: dict[str, Any] | None = None) -> Answer:
    try:
        return call(method, path, key=key, body=body)
    except (NothingSent, NoAnswer) as error:
        raise GatewayUnavailable from error


def _made(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise GatewayUnavailable(f"The sandbox processor answered {answer.status}: {answer.body}")
    return answer.body
