"""Keeps payment methods: a browser's single-use token becomes a method, which is charged until it is removed."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payorcrm.gateways.sandbox.processor.answers import ApiError, NotFound, NotPossible, method_answer
from payorcrm.gateways.sandbox.processor.authorize import account_id_of, derived_key, read_json, text_of
from payorcrm.gateways.sandbox.processor.database import Connection, Row
from payorcrm.gateways.sandbox.processor.decide import clears_on
from payorcrm.gateways.sandbox.processor.read_entry import Entry, EntryRefused, read_bank_account, read_card
from payorcrm.gateways.sandbox.processor.test_numbers import DEPOSITS, Behaviour

_KEEP = """
    INSERT INTO sandbox.methods (id, account_id, browser_token, state, kind, brand, bank_name, last4, expiry_month,
                                 expiry_year, holder_name, account_type, holder_type, fingerprint, behaviour,
                                 verification, deposits, deposits_expected_on)
    VALUES (%(id)s, %(account_id)s, %(token)s, %(state)s, %(kind)s, %(brand)s, %(bank_name)s, %(last4)s,
            %(expiry_month)s, %(expiry_year)s, %(holder_name)s, %(account_type)s, %(holder_type)s, %(fingerprint)s,
            %(behaviour)s, %(verification)s, %(deposits)s, %(deposits_expected_on)s)
    RETURNING *
"""
_ATTACH = """
    UPDATE sandbox.methods SET state = %(wanted)s
    WHERE browser_token = %(token)s AND account_id = %(account_id)s AND state = 'offered'
      AND created_at > now() - interval '1 hour'
"""
_OFFERED = "SELECT * FROM sandbox.methods WHERE browser_token = %(token)s AND account_id = %(account_id)s"
_REMOVE = """
    UPDATE sandbox.methods SET state = 'removed', holder_name = '', fingerprint = ''
    WHERE id = %s AND account_id = %s RETURNING id
"""


async def attach_method(request: Request) -> Response:
    """POST /v1/methods/{token}/attach: {reusable} -> the method. The same call again answers the same."""
    reusable = (await read_json(request)).get("reusable", False) is True
    async with request.app.state.pool.connection() as connection:
        asked = {
            "token": request.path_params["token"],
            "account_id": await account_id_of(request, connection),
            "wanted": "reusable" if reusable else "single_use",
        }
        await connection.execute(_ATTACH, asked)
        row = await (await connection.execute(_OFFERED, asked)).fetchone()
    if row is None:
        raise NotFound("No card or bank account was entered under this token.")
    if row["state"] != asked["wanted"]:
        raise NotPossible("This token has expired or was used already.")
    return method_answer(row)


async def remove_method(request: Request) -> Response:
    """DELETE /v1/methods/{token}: forget a method. Forgetting it twice is no error."""
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        removed = await (await connection.execute(_REMOVE, (request.path_params["token"], account_id))).fetchone()
    if removed is None:
        raise NotFound("This account has no such method.")
    return JSONResponse({"object": "method", "id": removed["id"], "state": "removed"})


async def make_test_method(request: Request) -> Response:
    """POST /v1/test/methods: a method without a browser, its fields checked as those of the pages are."""
    body = await read_json(request)
    try:
        entry = _entry_of(body)
    except EntryRefused as refused:
        raise ApiError(str(refused)) from None
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        state = "single_use" if body.get("reusable") is False else "reusable"
        return method_answer(await _keep(connection, request, account_id, entry, state=state, token=None))


async def offer(connection: Connection, request: Request, account_id: str, entry: Entry) -> str:
    """Keep what a payer entered and return the single-use token that stands for it, good for an hour."""
    token = f"tok_{secrets.token_hex(16)}"
    await _keep(connection, request, account_id, entry, state="offered", token=token)
    return token


async def _keep(
    connection: Connection, request: Request, account_id: str, entry: Entry, *, state: str, token: str | None
) -> Row:
    admin_key = request.app.state.settings.admin_key
    columns = (
        {name: getattr(entry, name) for name in Entry.__slots__ if name != "secret"}
        | _deposits(entry)
        | {
            "id": f"pm_{secrets.token_hex(12)}",
            "account_id": account_id,
            "token": token,
            "state": state,
            # Keyed by a secret of the account: equal cards can be told, but no number can be found by trying them all.
            "fingerprint": derived_key(admin_key, f"fingerprint:{entry.kind}:{entry.secret}", account_id)[:32],
        }
    )
    row = await (await connection.execute(_KEEP, columns)).fetchone()
    assert row is not None
    return row


def _deposits(entry: Entry) -> dict[str, Any]:
    if entry.behaviour != Behaviour.NEEDS_DEPOSITS:
        return {"verification": "not_needed", "deposits": [], "deposits_expected_on": None}
    expected_on = clears_on(datetime.now(UTC).date())
    return {"verification": "pending", "deposits": list(DEPOSITS), "deposits_expected_on": expected_on}


def _entry_of(body: Mapping[str, Any]) -> Entry:
    asked = dict(body)
    kind, name = text_of(asked, "kind"), text_of(asked, "holder_name") or "Test Payer"
    today = datetime.now(UTC).date()
    if kind == "card":
        number = text_of(asked, "number")
        month, year = asked.get("exp_month") or 12, asked.get("exp_year") or today.year + 4
        cvc = "1234" if number.startswith("3") else "123"
        return read_card({"number": number, "expiry": f"{month:02}/{year}", "cvc": cvc, "name": name}, today=today)
    if kind == "bank_account":
        account = text_of(asked, "account_number")
        choices = {"account_type": "checking", "holder_type": "consumer"}
        chosen = {choice: text_of(asked, choice) or usual for choice, usual in choices.items()}
        numbers = {"account_number": account, "account_number_again": account}
        routing = text_of(asked, "routing_number")
        return read_bank_account({**numbers, **chosen, "routing_number": routing, "name": name})
    raise ApiError("“kind” must be card or bank_account.")
