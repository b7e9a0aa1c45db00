"""Gives money back, never more than was charged, and once for each key."""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from payorcrm.gateways.sandbox.processor.answers import KeyReused, NotFound, refund_answer
from payorcrm.gateways.sandbox.processor.authorize import (
    account_id_of,
    idempotency_of,
    read_json,
    text_of,
    whole_number_of,
)
from payorcrm.gateways.sandbox.processor.database import Connection, Row

_LOCK_CHARGE = "SELECT * FROM sandbox.charges WHERE account_id = %s AND id = %s FOR UPDATE"
_BY_KEY = "SELECT * FROM sandbox.refunds WHERE account_id = %s AND idempotency_key = %s"
_REFUND = """
    INSERT INTO sandbox.refunds (id, account_id, idempotency_key, request_hash, charge_id, amount, currency, status,
                                 message)
    VALUES (%(id)s, %(account_id)s, %(key)s, %(request_hash)s, %(charge_id)s, %(amount)s, %(currency)s, %(status)s,
            %(message)s)
    RETURNING *
"""


async def make_refund(request: Request) -> Response:
    """POST /v1/refunds: {charge, amount} -> the refund, succeeded or declined."""
    body = await read_json(request)
    key, request_hash = idempotency_of(request, body)
    charge_id, amount = text_of(body, "charge"), whole_number_of(body, "amount")
    async with request.app.state.pool.connection() as connection, connection.transaction():
        account_id = await account_id_of(request, connection)
        charge = await (await connection.execute(_LOCK_CHARGE, (account_id, charge_id))).fetchone()
        if charge is None:
            raise NotFound("This account has no such charge.")
        refund = await _first_refund(connection, account_id, key, request_hash) or await _refund(
            connection, charge, {"key": key, "request_hash": request_hash, "amount": amount}
        )
    request.app.state.news.set()
    return refund_answer(refund)


async def _first_refund(connection: Connection, account_id: str, key: str, request_hash: bytes) -> Row | None:
    first = await (await connection.execute(_BY_KEY, (account_id, key))).fetchone()
    if first and bytes(first["request_hash"]) != request_hash:
        raise KeyReused("This idempotency key was used for another request.")
    return first


async def _refund(connection: Connection, charge: Row, asked: dict[str, Any]) -> Row:
    message = _objection(charge, asked["amount"])
    if not message:
        await connection.execute(
            "UPDATE sandbox.charges SET refunded = refunded + %s WHERE id = %s", (asked["amount"], charge["id"])
        )
    columns = asked | {
        "id": f"re_{secrets.token_hex(12)}",
        "account_id": charge["account_id"],
        "charge_id": charge["id"],
        "currency": charge["currency"],
        "status": "declined" if message else "succeeded",
        "message": message,
    }
    refund = await (await connection.execute(_REFUND, columns)).fetchone()
    assert refund is not None
    return refund


def _objection(charge: Row, amount: int) -> str:
    if charge["status"] != "succeeded":
        return f"A charge that is {charge['status']} cannot be refunded."
    if charge["refunded"] + amount > charge["amount"]:
        return "The refund is more than what is left of the charge."
    return ""
