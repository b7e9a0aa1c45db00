"""Voids debits that the bank does not have yet: in the first half of the time that they take to settle."""

from starlette.requests import Request
from starlette.responses import Response

from payorcrm.gateways.sandbox.processor.answers import NotFound, charge_answer
from payorcrm.gateways.sandbox.processor.authorize import account_id_of, read_json, text_of
from payorcrm.gateways.sandbox.processor.database import Row

_CANCEL = """
    UPDATE sandbox.charges SET status = 'canceled', next_step_at = NULL, changed_at = now()
    WHERE account_id = %(account_id)s AND idempotency_key = %(key)s AND status = 'pending' AND sent_at IS NULL
      AND (next_step_at IS NULL OR now() < created_at + (next_step_at - created_at) / 2)
"""
_BY_KEY = "SELECT * FROM sandbox.charges WHERE account_id = %(account_id)s AND idempotency_key = %(key)s"
_SEND = "UPDATE sandbox.charges SET sent_at = now() WHERE account_id = %s AND id = %s RETURNING *"


async def cancel_charge(request: Request) -> Response:
    """POST /v1/charges/cancel: {idempotency_key} -> the charge, canceled unless that was not possible any more."""
    key = text_of(await read_json(request), "idempotency_key")
    async with request.app.state.pool.connection() as connection:
        asked = {"account_id": await account_id_of(request, connection), "key": key}
        await connection.execute(_CANCEL, asked)
        row = await (await connection.execute(_BY_KEY, asked)).fetchone()
    return _answer(request, row)


async def send_charge(request: Request) -> Response:
    """POST /v1/test/charges/{id}/send: hand a debit to the bank now, so that it cannot be canceled."""
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        row = await (await connection.execute(_SEND, (account_id, request.path_params["id"]))).fetchone()
    return _answer(request, row)


def _answer(request: Request, row: Row | None) -> Response:
    if row is None:
        raise NotFound("This account has no such charge.")
    request.app.state.news.set()
    return charge_answer(row, request.app.state.settings.public_url)
