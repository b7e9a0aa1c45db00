"""Gives money back, never more than was charged, and once for each key. To a bank account it takes a while."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from payorcrm.gateways.sandbox.processor.answers import KeyReused, NotFound, NotPossible, refund_answer
from payorcrm.gateways.sandbox.processor.authorize import (
    account_id_of,
    idempotency_of,
    read_json,
    text_of,
    whole_number_of,
)
from payorcrm.gateways.sandbox.processor.database import Connection, Pool, Row
from payorcrm.gateways.sandbox.processor.test_numbers import Behaviour

_LOCK_CHARGE = """
    SELECT charges.*, methods.kind, methods.behaviour
    FROM sandbox.charges LEFT JOIN sandbox.methods ON methods.id = charges.method_id
    WHERE charges.account_id = %s AND charges.id = %s FOR UPDATE OF charges
"""
_BY_KEY = "SELECT * FROM sandbox.refunds WHERE account_id = %s AND idempotency_key = %s"
_REFUND = """
    INSERT INTO sandbox.refunds (id, account_id, idempotency_key, request_hash, charge_id, amount, currency, status,
                                 message, next_step_at)
    VALUES (%(id)s, %(account_id)s, %(key)s, %(request_hash)s, %(charge_id)s, %(amount)s, %(currency)s, %(status)s,
            %(message)s, %(next_step_at)s)
    RETURNING *
"""
# Materialized, else a plan may run the limited choice more than once.
_STEP_DUE = """
    WITH due AS MATERIALIZED (
        SELECT id FROM sandbox.refunds WHERE next_step_at <= now()
        ORDER BY next_step_at LIMIT 500 FOR UPDATE SKIP LOCKED
    )
    UPDATE sandbox.refunds SET status = 'succeeded', next_step_at = NULL FROM due WHERE refunds.id = due.id
"""
_STEP_ALL = """
    UPDATE sandbox.refunds SET status = 'succeeded', next_step_at = NULL
    WHERE account_id = %s AND next_step_at IS NOT NULL
"""
_FAIL = """
    WITH failed AS (
        UPDATE sandbox.refunds
        SET status = 'declined', message = 'The bank did not take the money.', next_step_at = NULL
        WHERE account_id = %s AND id = %s AND status = 'pending' RETURNING *
    ), given_back AS (
        UPDATE sandbox.charges SET refunded = refunded - failed.amount FROM failed WHERE charges.id = failed.charge_id
    )
    SELECT * FROM failed
"""


async def make_refund(request: Request) -> Response:
    """POST /v1/refunds: {charge, amount} -> the refund: succeeded, pending (to a bank account) or declined."""
    body = await read_json(request)
    key, request_hash = idempotency_of(request, body)
    charge_id, amount = text_of(body, "charge"), whole_number_of(body, "amount")
    async with request.app.state.pool.connection() as connection, connection.transaction():
        account_id = await account_id_of(request, connection)
        charge = await (await connection.execute(_LOCK_CHARGE, (account_id, charge_id))).fetchone()
        if charge is None:
            raise NotFound("This account has no such charge.")
        first = await _first_refund(connection, account_id, key, request_hash)
        asked = {"key": key, "request_hash": request_hash, "amount": amount}
        refund = first or await _refund(connection, charge, asked, request.app.state.settings.settles_after)
    request.app.state.news.set()
    if first is None and charge["behaviour"] == Behaviour.HANGS_AFTER:
        await asyncio.sleep(request.app.state.settings.hangs_for)
    return refund_answer(refund)


async def find_refund(request: Request) -> Response:
    """GET /v1/refunds?idempotency_key=K: the refund made for a key, or 404."""
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        key = request.query_params.get("idempotency_key", "")
        row = await (await connection.execute(_BY_KEY, (account_id, key))).fetchone()
    if row is None:
        raise NotFound("This account has no such refund.")
    return refund_answer(row)


async def fail_refund(request: Request) -> Response:
    """POST /v1/test/refunds/{id}/fail: let the bank refuse a refund that is under way."""
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        row = await (await connection.execute(_FAIL, (account_id, request.path_params["id"]))).fetchone()
    if row is None:
        raise NotPossible("Only a refund that is under way can fail.")
    request.app.state.news.set()
    return refund_answer(row)


async def step_refunds_due(pool: Pool) -> None:
    """Let the refunds arrive whose time has come."""
    async with pool.connection() as connection:
        await connection.execute(_STEP_DUE)


async def step_refunds_of(connection: Connection, account_id: str) -> int:
    """Let every refund of an account arrive, due or not; return how many did."""
    return (await connection.execute(_STEP_ALL, (account_id,))).rowcount


async def _first_refund(connection: Connection, account_id: str, key: str, request_hash: bytes) -> Row | None:
    first = await (await connection.execute(_BY_KEY, (account_id, key))).fetchone()
    if first and bytes(first["request_hash"]) != request_hash:
        raise KeyReused("This idempotency key was used for another request.")
    return first


async def _refund(connection: Connection, charge: Row, asked: dict[str, Any], settles_after: timedelta) -> Row:
    message = _objection(charge, asked["amount"])
    takes_a_while = charge["kind"] == "bank_account" and not message
    if not message:
        await connection.execute(
            "UPDATE sandbox.charges SET refunded = refunded + %s WHERE id = %s", (asked["amount"], charge["id"])
        )
    columns = asked | {
        "id": f"re_{secrets.token_hex(12)}",
        "account_id": charge["account_id"],
        "charge_id": charge["id"],
        "currency": charge["currency"],
        "status": "declined" if message else "pending" if takes_a_while else "succeeded",
        "message": message,
        "next_step_at": datetime.now(UTC) + settles_after if takes_a_while else None,
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
