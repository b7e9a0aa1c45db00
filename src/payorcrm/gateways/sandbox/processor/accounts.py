"""Opens accounts. Opening one again under the same name updates it and answers with the same keys."""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payorcrm.gateways.sandbox.processor.answers import ApiError
from payorcrm.gateways.sandbox.processor.authorize import (
    account_id_of,
    derived_key,
    hashed,
    read_json,
    require_admin,
    text_of,
)
from payorcrm.gateways.sandbox.processor.database import Connection
from payorcrm.gateways.sandbox.processor.origins import origin_of

_OPEN = """
    INSERT INTO sandbox.accounts (id, name, public_key, secret_hash, webhook_url, origins)
    VALUES (%(id)s, %(name)s, %(public_key)s, '', %(webhook_url)s, %(origins)s)
    ON CONFLICT (name) DO UPDATE SET webhook_url = excluded.webhook_url, origins = excluded.origins
    RETURNING id, public_key
"""
_SHOW = "SELECT id, name, public_key FROM sandbox.accounts WHERE id = %s"


async def open_account(request: Request) -> Response:
    """POST /v1/accounts with the admin key: {name, webhook_url, origins} -> its keys."""
    require_admin(request)
    body = await read_json(request)
    name, webhook_url, origins = text_of(body, "name"), text_of(body, "webhook_url"), _origins(body)
    if not name or (webhook_url and not origin_of(webhook_url)):
        raise ApiError("An account needs a name, and its webhook_url must be a web address.")
    async with request.app.state.pool.connection() as connection, connection.transaction():
        return JSONResponse(await _open(connection, name, webhook_url, origins, request.app.state.settings.admin_key))


async def show_account(request: Request) -> Response:
    """GET /v1/account: id, name and public key of the account whose secret key the request brings."""
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        found = await connection.execute(
            "SELECT id, name, public_key FROM sandbox.accounts WHERE id = %s", (account_id,)
        )
        return JSONResponse(await found.fetchone())


async def _open(
    connection: Connection, name: str, webhook_url: str, origins: list[str], admin_key: str
) -> dict[str, str]:
    new = {"id": f"acct_{secrets.token_hex(10)}", "public_key": f"pk_sandbox_{secrets.token_hex(12)}"}
    asked = new | {"name": name, "webhook_url": webhook_url, "origins": origins}
    row = await (await connection.execute(_OPEN, asked)).fetchone()
    assert row is not None
    secret_key = f"sk_sandbox_{derived_key(admin_key, 'secret', row['id'])}"
    await connection.execute(
        "UPDATE sandbox.accounts SET secret_hash = %s WHERE id = %s", (hashed(secret_key), row["id"])
    )
    return {
        "public_key": row["public_key"],
        "secret_key": secret_key,
        "webhook_secret": webhook_secret(admin_key, row["id"]),
    }


def webhook_secret(admin_key: str, account_id: str) -> str:
    """Return the secret that signs an account's webhooks."""
    return f"whsec_{derived_key(admin_key, 'webhook', account_id)}"


def _origins(body: dict[str, Any]) -> list[str]:
    given = body.get("origins", [])
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise ApiError("“origins” must be a list of web addresses.")
    return sorted({origin_of(each) for each in [*given, body.get("webhook_url", "")]} - {""})
