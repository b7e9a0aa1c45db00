"""The processor's words in ours. Pure: what cannot be understood is UNKNOWN, never a guess."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from payorcrm.gateways.base import (
    ChargeRequest,
    ChargeResult,
    DeclineCode,
    GatewayEvent,
    MethodDetails,
    MethodKind,
    Outcome,
    RefundRequest,
    RefundResult,
    Verification,
    VerificationOutcome,
    VerificationResult,
)
from payorcrm.gateways.sandbox.client import Answer

OUTCOMES = {
    "succeeded": Outcome.SUCCEEDED,
    "pending": Outcome.PENDING,
    "requires_action": Outcome.ACTION_NEEDED,
    "declined": Outcome.DECLINED,
    "returned": Outcome.RETURNED,
    "canceled": Outcome.CANCELED,
}
DECLINE_CODES = {
    "card_declined": DeclineCode.DECLINED,
    "insufficient_funds": DeclineCode.INSUFFICIENT_FUNDS,
    "card_expired": DeclineCode.EXPIRED_CARD,
    "cvc_mismatch": DeclineCode.WRONG_CVC,
    "limit_exceeded": DeclineCode.LIMIT_EXCEEDED,
    "account_closed": DeclineCode.ACCOUNT_CLOSED,
    "account_not_found": DeclineCode.NO_ACCOUNT,
    "method_not_usable": DeclineCode.METHOD_UNUSABLE,
    "currency_not_supported": DeclineCode.METHOD_UNUSABLE,
    "authentication_failed": DeclineCode.ACTION_FAILED,
    "account_not_verified": DeclineCode.METHOD_UNUSABLE,
}


def charge_body(request: ChargeRequest) -> dict[str, Any]:
    """Return what is sent to charge."""
    return {
        "amount": request.amount.minor,
        "currency": request.amount.currency,
        "method_token": request.method_token,
        "description": request.description,
        "return_url": request.return_url,
        "entry_class": request.entry_class,
    }


def charge_result(answer: Answer, request: ChargeRequest) -> ChargeResult:
    """Read the answer to a charge; one about another key, amount or currency is not understood."""
    if is_refusal(answer):
        return ChargeResult(
            Outcome.DECLINED, decline_code=DeclineCode.DECLINED, decline_message=_error(answer).get("message", "")
        )
    asked = {"amount": request.amount.minor, "currency": request.amount.currency}
    if any(answer.body.get(name) != value for name, value in asked.items()):
        return ChargeResult(Outcome.UNKNOWN)
    return found_charge(answer, request.idempotency_key)


def found_charge(answer: Answer, idempotency_key: str) -> ChargeResult:
    """Read a charge that was asked for by its key. NOT_SENT only when the processor says that it has none."""
    if answer.status == 404 and _error(answer).get("code") == "not_found":
        return ChargeResult(Outcome.NOT_SENT)
    body = answer.body
    if answer.status != 200 or body.get("object") != "charge" or body.get("idempotency_key") != idempotency_key:
        return ChargeResult(Outcome.UNKNOWN)
    try:
        return _charge(body)
    except (KeyError, ValueError, TypeError):
        return ChargeResult(Outcome.UNKNOWN)


def _charge(body: Mapping[str, Any]) -> ChargeResult:
    outcome = OUTCOMES[body["status"]]
    is_declined = outcome is Outcome.DECLINED
    return ChargeResult(
        outcome,
        reference=_text(body["id"]),
        decline_code=DECLINE_CODES.get(body["decline_code"], DeclineCode.DECLINED) if is_declined else None,
        decline_message=_text(body["decline_message"]) if is_declined else "",
        action_url=_text(body["action_url"]) if outcome is Outcome.ACTION_NEEDED else "",
        expected_on=date.fromisoformat(body["expected_on"]) if body.get("expected_on") else None,
        return_code=_text(body["return_code"]) if outcome is Outcome.RETURNED else "",
        occurred_at=datetime.fromisoformat(body["changed_at"]),
    )


def refund_body(request: RefundRequest) -> dict[str, Any]:
    """Return what is sent to refund."""
    return {"charge": request.charge_reference, "amount": request.amount.minor}


def refund_result(answer: Answer, request: RefundRequest) -> RefundResult:
    """Read the answer to a refund."""
    body = answer.body
    if is_refusal(answer) or (answer.status == 404 and _error(answer).get("code") == "not_found"):
        return RefundResult(Outcome.DECLINED, message=_error(answer).get("message", ""))
    if body.get("amount") != request.amount.minor:
        return RefundResult(Outcome.UNKNOWN)
    return found_refund(answer, request.idempotency_key)


def found_refund(answer: Answer, idempotency_key: str) -> RefundResult:
    """Read a refund that was asked for by its key. NOT_SENT only when the processor says that it has none."""
    if answer.status == 404 and _error(answer).get("code") == "not_found":
        return RefundResult(Outcome.NOT_SENT)
    body = answer.body
    outcome = OUTCOMES.get(str(body.get("status")), Outcome.UNKNOWN)
    is_ours = body.get("object") == "refund" and body.get("idempotency_key") == idempotency_key
    if answer.status != 200 or not is_ours or outcome not in _REFUND_OUTCOMES:
        return RefundResult(Outcome.UNKNOWN)
    return RefundResult(outcome, str(body.get("id", "")), str(body.get("message", "")))


_REFUND_OUTCOMES = (Outcome.SUCCEEDED, Outcome.PENDING, Outcome.DECLINED)


def method_details(body: Mapping[str, Any]) -> MethodDetails:
    """Read a method. Raises KeyError, ValueError where it is no method."""
    return MethodDetails(
        token=body["id"],
        kind=MethodKind(body["kind"]),
        last4=body["last4"],
        brand=body["brand"],
        bank_name=body["bank_name"],
        expiry_month=body["expiry_month"],
        expiry_year=body["expiry_year"],
        holder_name=body["holder_name"],
        account_type=body["account_type"],
        holder_type=body["holder_type"],
        fingerprint=body["fingerprint"],
        verification=Verification.DEPOSITS if body["verification"] == "pending" else Verification.NOT_NEEDED,
        deposits_expected_on=_day(body["deposits_expected_on"]),
    )


def verification_result(answer: Answer, token: str) -> VerificationResult:
    """Read what became of two amounts; a method that the processor does not have can never be verified."""
    body = answer.body
    if answer.status == 404 and _error(answer).get("code") == "not_found":
        return VerificationResult(VerificationOutcome.FAILED)
    outcome, tries_left = _VERIFICATIONS.get(str(body.get("status"))), body.get("tries_left")
    if answer.status != 200 or body.get("object") != "verification" or body.get("method") != token or not outcome:
        return VerificationResult(VerificationOutcome.UNKNOWN)
    if outcome is not VerificationOutcome.WRONG:
        return VerificationResult(outcome)
    if not isinstance(tries_left, int) or tries_left < 1:
        return VerificationResult(VerificationOutcome.UNKNOWN)
    return VerificationResult(outcome, tries_left)


_VERIFICATIONS = {
    "verified": VerificationOutcome.VERIFIED,
    "wrong": VerificationOutcome.WRONG,
    "failed": VerificationOutcome.FAILED,
}


def event(body: Mapping[str, Any], raw: str) -> GatewayEvent:
    """Read an event. Raises KeyError, ValueError, TypeError where it is none."""
    return GatewayEvent(
        event_id=_text(body["id"]),
        kind=_text(body["type"]),
        charge_reference=_text(body.get("charge") or ""),
        occurred_at=datetime.fromisoformat(body["occurred_at"]),
        body=raw,
    )


def is_refusal(answer: Answer) -> bool:
    """Say whether the processor explicitly refused the request's content, so that it certainly changed nothing.

    401 and 403 do not count, nor does 409: an earlier request with the same key may have charged.
    """
    return answer.status == 400 and _error(answer).get("code") == "invalid_request"


def _error(answer: Answer) -> dict[str, str]:
    error = answer.body.get("error")
    return {name: str(value) for name, value in error.items()} if isinstance(error, dict) else {}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
