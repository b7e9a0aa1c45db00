"""Moves charges on: debits settle or return when they are due, second steps end. Tests can do it at once."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payorcrm.gateways.sandbox.processor.answers import ApiError, NotFound, NotPossible, charge_answer
from payorcrm.gateways.sandbox.processor.authorize import account_id_of, read_json, text_of
from payorcrm.gateways.sandbox.processor.database import Connection, Pool, Row
from payorcrm.gateways.sandbox.processor.refunds import step_refunds_of

# Materialized, else a plan may run the limited choice more than once.
_STEP = """
    WITH due AS MATERIALIZED (
        SELECT id AS due_id, CASE WHEN status = 'requires_action' THEN 'declined'
                                  WHEN status = 'pending' AND (planned_return = '' OR returns_late) THEN 'succeeded'
                                  ELSE 'returned' END AS next_status
        FROM sandbox.charges WHERE {chosen}
        ORDER BY next_step_at LIMIT 500 FOR UPDATE SKIP LOCKED
    )
    UPDATE sandbox.charges SET
        status = due.next_status,
        return_code = CASE due.next_status WHEN 'returned' THEN planned_return ELSE '' END,
        decline_code = CASE due.next_status WHEN 'declined' THEN 'authentication_failed' ELSE '' END,
        next_step_at = CASE WHEN due.next_status = 'succeeded' AND returns_late THEN now() + %(settles_after)s END,
        changed_at = now()
    FROM due WHERE id = due.due_id
"""
_STEP_DUE = _STEP.format(chosen="next_step_at <= now()").encode()
_STEP_ALL = _STEP.format(
    chosen="next_step_at IS NOT NULL AND status <> 'requires_action' AND account_id = %(account_id)s"
).encode()
_ADVANCE = """
    UPDATE sandbox.charges SET status = %(status)s, return_code = %(code)s, next_step_at = NULL, changed_at = now()
    WHERE id = %(id)s AND account_id = %(account_id)s AND status = ANY(%(before)s) AND entry_class <> ''
    RETURNING *
"""
_ANSWER = """
    UPDATE sandbox.charges SET status = %(status)s, decline_code = %(code)s, next_step_at = NULL, changed_at = now()
    WHERE id = %(id)s AND status = 'requires_action'
"""


async def step_due(pool: Pool, settles_after: timedelta) -> int:
    """Take every step that is due and return how many there were."""
    async with pool.connection() as connection:
        return (await connection.execute(_STEP_DUE, {"settles_after": settles_after})).rowcount


async def step_all_now(request: Request) -> Response:
    """POST /v1/test/settle: take the next step of all of an account's debits and refunds, due or not."""
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        asked = {"account_id": account_id, "settles_after": request.app.state.settings.settles_after}
        moved = (await connection.execute(_STEP_ALL, asked)).rowcount + await step_refunds_of(connection, account_id)
    request.app.state.news.set()
    return JSONResponse({"moved": moved})


async def advance_charge(request: Request) -> Response:
    """POST /v1/test/charges/{id}/advance: {to: settled | returned, return_code} -> the charge."""
    body = await read_json(request)
    code = text_of(body, "return_code", longest=3) or "R01"
    try:
        status, before, code = {
            "settled": ("succeeded", ["pending"], ""),
            "returned": ("returned", ["pending", "succeeded"], code),
        }[text_of(body, "to")]
    except KeyError:
        raise ApiError("“to” must be settled or returned.") from None
    async with request.app.state.pool.connection() as connection:
        asked = {"id": request.path_params["id"], "status": status, "before": before, "code": code}
        row = await _advance(connection, asked | {"account_id": await account_id_of(request, connection)})
    request.app.state.news.set()
    return charge_answer(row, request.app.state.settings.public_url)


async def _advance(connection: Connection, asked: dict[str, object]) -> Row:
    row = await (await connection.execute(_ADVANCE, asked)).fetchone()
    if row:
        return row
    known = await connection.execute(
        "SELECT FROM sandbox.charges WHERE id = %(id)s AND account_id = %(account_id)s", asked
    )
    if known.rowcount == 0:
        raise NotFound("This account has no such charge.")
    raise NotPossible("Only a debit that is under way can settle, and only one not yet returned can return.")


async def answer_second_step(connection: Connection, charge_id: str, *, passed: bool) -> None:
    """Record the payer's answer to the second step; a later answer changes nothing."""
    status, code = ("succeeded", "") if passed else ("declined", "authentication_failed")
    await connection.execute(_ANSWER, {"id": charge_id, "status": status, "code": code})
