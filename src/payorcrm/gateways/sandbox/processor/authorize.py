"""Who calls: the keys of accounts, all derived from the admin key, so that none is stored."""

import hashlib
import hmac
import json
from typing import Any

from starlette.requests import Request

from payorcrm.gateways.sandbox.processor.answers import ApiError, NotAuthorized
from payorcrm.gateways.sandbox.processor.database import Connection

_LARGEST_BODY = 65_536


def derived_key(admin_key: str, purpose: str, account_id: str) -> str:
    """Return the secret of an account for one purpose; another admin key makes other secrets."""
    return hmac.digest(admin_key.encode(), f"{purpose}:{account_id}".encode(), "sha256").hex()


def hashed(secret_key: str) -> bytes:
    """Return what is stored of a secret key."""
    return hashlib.sha256(secret_key.encode()).digest()


def bearer(request: Request) -> str:
    """Return the key that a request brings. Raises NotAuthorized."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise NotAuthorized("Send the secret key as a bearer token.")
    return key


def require_admin(request: Request) -> None:
    """Let only the admin key pass. Raises NotAuthorized."""
    if not hmac.compare_digest(bearer(request).encode(), request.app.state.settings.admin_key.encode()):
        raise NotAuthorized("This is not the admin key.")


async def account_id_of(request: Request, connection: Connection) -> str:
    """Return the account whose secret key a request brings. Raises NotAuthorized."""
    found = await connection.execute(
        "SELECT id FROM sandbox.accounts WHERE secret_hash = %s", (hashed(bearer(request)),)
    )
    row = await found.fetchone()
    if row is None:
        raise NotAuthorized("No account has this secret key.")
    return str(row["id"])


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request carries. Raises ApiError."""
    body = await request.body()
    if len(body) > _LARGEST_BODY:
        raise ApiError("The request is too large.")
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        raise ApiError("The body is not JSON.") from None
    if not isinstance(read, dict):
        raise ApiError("The body must be a JSON object.")
    return read


def text_of(body: dict[str, Any], name: str, *, longest: int = 500) -> str:
    """Return a text of the body, empty when missing. Raises ApiError."""
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise ApiError(f"“{name}” must be a text of at most {longest} characters.")
    return value


def whole_number_of(body: dict[str, Any], name: str) -> int:
    """Return a positive whole number of the body. Raises ApiError."""
    value = body.get(name)
    if type(value) is not int or not 0 < value < 10**13:
        raise ApiError(f"“{name}” must be a whole number above zero.")
    return value


def idempotency_of(request: Request, body: dict[str, Any]) -> tuple[str, bytes]:
    """Return the idempotency key and the digest of what it stands for. Raises ApiError."""
    key = request.headers.get("idempotency-key", "")
    if not 1 <= len(key) <= 200:
        raise ApiError("Send an Idempotency-Key of at most 200 characters.")
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return key, hashlib.sha256(canonical.encode()).digest()
