"""Checks the amounts of the two deposits by which the owner of a bank account shows that it is theirs."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payorcrm.gateways.sandbox.processor.answers import (
    MOST_WRONG_TRIES,
    ApiError,
    NotFound,
    NotPossible,
    verification_answer,
)
from payorcrm.gateways.sandbox.processor.authorize import account_id_of, read_json
from payorcrm.gateways.sandbox.processor.database import Row

# One statement, so that tries made at the same moment are counted one after another.
_TRY = """
    UPDATE sandbox.methods SET
        verification = CASE WHEN {is_right} THEN 'verified'
                            WHEN wrong_tries + 1 >= %(most)s THEN 'failed' ELSE 'pending' END,
        wrong_tries = wrong_tries + CASE WHEN {is_right} THEN 0 ELSE 1 END
    WHERE id = %(id)s AND account_id = %(account_id)s AND verification = 'pending' AND state <> 'removed'
    RETURNING *
""".format(is_right="deposits <@ %(amounts)s::smallint[] AND deposits @> %(amounts)s::smallint[]").encode()
_FIND = "SELECT * FROM sandbox.methods WHERE id = %(id)s AND account_id = %(account_id)s AND state <> 'removed'"


async def verify_method(request: Request) -> Response:
    """POST /v1/methods/{id}/verify: {amounts: [cents, cents]} -> verified, wrong or failed, and the tries left.

    Once verified or failed, a method stays so, whatever the amounts.
    """
    asked: dict[str, Any] = {"amounts": _amounts_of(await read_json(request)), "most": MOST_WRONG_TRIES}
    async with request.app.state.pool.connection() as connection:
        asked |= {"id": request.path_params["id"], "account_id": await account_id_of(request, connection)}
        tried = await (await connection.execute(_TRY, asked)).fetchone()
        method = tried or await (await connection.execute(_FIND, asked)).fetchone()
    if method is None:
        raise NotFound("This account has no such method.")
    if method["verification"] == "not_needed":
        raise NotPossible("This method needs no verification.")
    return verification_answer(method, _status_of(method))


async def show_deposits(request: Request) -> Response:
    """GET /v1/test/methods/{id}/deposits: the amounts that a payer would read on their statement."""
    async with request.app.state.pool.connection() as connection:
        asked = {"id": request.path_params["id"], "account_id": await account_id_of(request, connection)}
        method = await (await connection.execute(_FIND, asked)).fetchone()
    if method is None:
        raise NotFound("This account has no such method.")
    return JSONResponse({"object": "deposits", "method": method["id"], "amounts": method["deposits"]})


def _status_of(method: Row) -> str:
    return "wrong" if method["verification"] == "pending" else str(method["verification"])


def _amounts_of(body: dict[str, Any]) -> list[int]:
    amounts = body.get("amounts")
    if not isinstance(amounts, list) or len(amounts) != 2 or any(type(each) is not int for each in amounts):
        raise ApiError("“amounts” must be two whole numbers of cents.")
    if not all(1 <= each <= 99 for each in amounts):
        raise ApiError("Each of “amounts” is from 1 to 99 cents.")
    return amounts
