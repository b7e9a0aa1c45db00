"""Makes charges and tells of them. A key charges once: by a unique constraint a second request waits for the first."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payorcrm.gateways.sandbox.processor.answers import ApiError, KeyReused, NotAuthorized, NotFound, charge_answer
from payorcrm.gateways.sandbox.processor.authorize import (
    account_id_of,
    bearer,
    hashed,
    idempotency_of,
    read_json,
    text_of,
    whole_number_of,
)
from payorcrm.gateways.sandbox.processor.database import Connection, Row
from payorcrm.gateways.sandbox.processor.decide import Decision, decide, decline
from payorcrm.gateways.sandbox.processor.origins import origin_of
from payorcrm.gateways.sandbox.processor.test_numbers import Behaviour

_ACCOUNT_AND_METHOD = """
    SELECT accounts.id AS account_id, methods.id AS method_id, methods.kind, methods.behaviour, methods.state,
           methods.verification
    FROM sandbox.accounts
    LEFT JOIN sandbox.methods ON methods.id = %s AND methods.account_id = accounts.id
         AND methods.state IN ('single_use', 'reusable')
    WHERE accounts.secret_hash = %s
"""
_CHARGE = """
    INSERT INTO sandbox.charges (id, account_id, idempotency_key, request_hash, method_id, is_single_use, amount,
                                 currency, description, entry_class, return_url, status, decline_code, expected_on,
                                 planned_return, returns_late, next_step_at)
    VALUES (%(id)s, %(account_id)s, %(key)s, %(request_hash)s, %(method_id)s, %(is_single_use)s, %(amount)s,
            %(currency)s, %(description)s, %(entry_class)s, %(return_url)s, %(status)s, %(decline_code)s,
            %(expected_on)s, %(planned_return)s, %(returns_late)s, %(next_step_at)s)
    ON CONFLICT DO NOTHING
    RETURNING *
"""
_BY_KEY = "SELECT * FROM sandbox.charges WHERE account_id = %s AND idempotency_key = %s"
_BY_ID = "SELECT * FROM sandbox.charges WHERE account_id = %s AND id = %s"


@dataclass(frozen=True, slots=True)
class Order:
    """A charge as it was asked for."""

    key: str
    request_hash: bytes
    amount: int
    currency: str
    method_token: str
    description: str
    entry_class: str
    return_url: str


async def make_charge(request: Request) -> Response:
    """POST /v1/charges: charge once for the idempotency key and answer with what became of it."""
    order = _read_order(request, await read_json(request))
    settings = request.app.state.settings
    async with request.app.state.pool.connection() as connection:
        found = await _account_and_method(connection, request, order)
        if found["behaviour"] == Behaviour.HANGS_BEFORE:
            charge, is_new = await _first_charge(connection, found["account_id"], order), False
        else:
            charge, is_new = await _charge_once(connection, found, order, settings.settles_after)
    if charge is None:
        await asyncio.sleep(settings.hangs_for)
        return JSONResponse({"error": {"code": "timed_out", "message": "Nothing was charged."}}, status_code=504)
    if is_new:
        request.app.state.news.set()
        if found["behaviour"] == Behaviour.HANGS_AFTER:
            await asyncio.sleep(settings.hangs_for)
    return charge_answer(charge, settings.public_url)


async def show_charge(request: Request) -> Response:
    """GET /v1/charges/{id}."""
    return await _show(request, _BY_ID, request.path_params["id"])


async def find_charge(request: Request) -> Response:
    """GET /v1/charges?idempotency_key=K: the charge made for a key, or 404."""
    return await _show(request, _BY_KEY, request.query_params.get("idempotency_key", ""))


async def _show(request: Request, query: str, name: str) -> Response:
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        row = await (await connection.execute(query, (account_id, name))).fetchone()
    if row is None:
        raise NotFound("This account has no such charge.")
    return charge_answer(row, request.app.state.settings.public_url)


def _read_order(request: Request, body: dict[str, Any]) -> Order:
    key, request_hash = idempotency_of(request, body)
    currency, entry_class = text_of(body, "currency"), text_of(body, "entry_class")
    return_url = text_of(body, "return_url", longest=2000)
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise ApiError("“currency” must be three capital letters.")
    if entry_class not in ("", "WEB", "CCD", "PPD", "TEL"):
        raise ApiError("“entry_class” must be WEB, CCD, PPD, TEL or empty.")
    if return_url and not origin_of(return_url):
        raise ApiError("“return_url” must be a web address.")
    return Order(
        key=key,
        request_hash=request_hash,
        amount=whole_number_of(body, "amount"),
        currency=currency,
        method_token=text_of(body, "method_token"),
        description=text_of(body, "description"),
        entry_class=entry_class,
        return_url=return_url,
    )


async def _account_and_method(connection: Connection, request: Request, order: Order) -> Row:
    found = await connection.execute(_ACCOUNT_AND_METHOD, (order.method_token, hashed(bearer(request))))
    row = await found.fetchone()
    if row is None:
        raise NotAuthorized("No account has this secret key.")
    return row


async def _charge_once(connection: Connection, found: Row, order: Order, settles_after: Any) -> tuple[Row, bool]:
    decision = _decide(found, order, settles_after)
    made = await _insert(connection, found, order, decision)
    if made:
        return made, True
    first = await _first_charge(connection, found["account_id"], order)
    if first:
        return first, False
    # Not this key stood in the way, but a charge that used up the single-use method.
    made = await _insert(connection, found, order, decline("method_not_usable"))
    first = made or await _first_charge(connection, found["account_id"], order)
    assert first is not None
    return first, made is not None


def _decide(found: Row, order: Order, settles_after: Any) -> Decision:
    if found["method_id"] is None:
        return decline("method_not_usable")
    if found["verification"] in ("pending", "failed"):
        return decline("account_not_verified")
    if found["kind"] == "bank_account" and not order.entry_class:
        raise ApiError("A debit of a bank account needs an “entry_class”.")
    return decide(
        behaviour=found["behaviour"],
        kind=found["kind"],
        currency=order.currency,
        now=datetime.now(UTC),
        settles_after=settles_after,
    )


async def _insert(connection: Connection, found: Row, order: Order, decision: Decision) -> Row | None:
    asked = {name: getattr(order, name) for name in Order.__slots__}
    decided = {name: getattr(decision, name) for name in Decision.__slots__}
    of_method = {
        "id": f"ch_{secrets.token_hex(12)}",
        "account_id": found["account_id"],
        "method_id": found["method_id"],
        "is_single_use": found["state"] == "single_use",
    }
    return await (await connection.execute(_CHARGE, asked | decided | of_method)).fetchone()


async def _first_charge(connection: Connection, account_id: str, order: Order) -> Row | None:
    first = await (await connection.execute(_BY_KEY, (account_id, order.key))).fetchone()
    if first and bytes(first["request_hash"]) != order.request_hash:
        raise KeyReused("This idempotency key was used for another request.")
    return first
