"""The shapes of the JSON that the processor answers with, and its errors."""

import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payorcrm.gateways.sandbox.processor.database import Row
from payorcrm.gateways.sandbox.processor.decide import DECLINE_MESSAGES


class ApiError(Exception):
    """A request that cannot be carried out; nothing was charged or changed by it."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid_request"


class NotAuthorized(ApiError):
    """The key is missing or unknown."""

    status = 401
    code = "not_authorized"


class NotFound(ApiError):
    """This account has no such thing."""

    status = 404
    code = "not_found"


class KeyReused(ApiError):
    """An idempotency key came again with another request."""

    status = 409
    code = "idempotency_key_reused"


class NotPossible(ApiError):
    """The thing is in a state that does not allow this."""

    status = 409
    code = "not_possible"


async def render_error(request: Request, error: Exception) -> Response:
    """Answer with an ApiError's code and words."""
    assert isinstance(error, ApiError)
    return JSONResponse({"error": {"code": error.code, "message": str(error)}}, status_code=error.status)


def charge_answer(row: Row, public_url: str) -> Response:
    """Answer with a charge."""
    return JSONResponse(_charge(row, public_url))


def refund_answer(row: Row) -> Response:
    """Answer with a refund."""
    shown = {name: row[name] for name in ("id", "idempotency_key", "amount", "currency", "status", "message")}
    return JSONResponse(shown | {"object": "refund", "charge": row["charge_id"]})


def method_answer(row: Row) -> Response:
    """Answer with as much of a method as may be shown."""
    expected: Any = row["deposits_expected_on"]
    shown = {name: row[name] for name in _METHOD_FIELDS}
    return JSONResponse({"object": "method", **shown, "deposits_expected_on": expected and expected.isoformat()})


def verification_answer(row: Row, status: str) -> Response:
    """Answer with what became of two amounts."""
    left = MOST_WRONG_TRIES - row["wrong_tries"]
    return JSONResponse({"object": "verification", "method": row["id"], "status": status, "tries_left": left})


def events_answer(rows: list[Row]) -> Response:
    """Answer with events, each as its webhook said it."""
    return JSONResponse({"object": "list", "events": [json.loads(row["body"]) for row in rows]})


MOST_WRONG_TRIES = 3
_METHOD_FIELDS = (
    *("id", "kind", "brand", "bank_name", "last4", "expiry_month", "expiry_year", "holder_name"),
    *("account_type", "holder_type", "fingerprint", "state", "verification"),
)
_CHARGE_FIELDS = ("id", "idempotency_key", "amount", "currency", "status", "decline_code", "return_code", "refunded")


def _charge(row: Row, public_url: str) -> dict[str, Any]:
    expected: Any = row["expected_on"] if row["status"] == "pending" else None
    return {
        "object": "charge",
        **{name: row[name] for name in _CHARGE_FIELDS},
        "decline_message": DECLINE_MESSAGES.get(row["decline_code"], ""),
        "action_url": f"{public_url}/challenge/{row['id']}" if row["status"] == "requires_action" else "",
        "expected_on": expected.isoformat() if expected else None,
        "changed_at": _iso(row["changed_at"]),
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
