"""Tells of an account's events, for those who poll."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from payorcrm.gateways.sandbox.processor.answers import ApiError, events_answer
from payorcrm.gateways.sandbox.processor.authorize import account_id_of

_SINCE = """
    SELECT body FROM sandbox.events WHERE account_id = %s AND occurred_at >= %s ORDER BY occurred_at, id LIMIT 500
"""


async def list_events(request: Request) -> Response:
    """GET /v1/events?since=ISO: oldest first, 500 at the most."""
    try:
        since = datetime.fromisoformat(request.query_params.get("since", ""))
    except ValueError:
        raise ApiError("“since” must be a moment in ISO 8601.") from None
    if since.tzinfo is None:
        raise ApiError("“since” must name its offset from UTC.")
    async with request.app.state.pool.connection() as connection:
        account_id = await account_id_of(request, connection)
        rows = await (await connection.execute(_SINCE, (account_id, since))).fetchall()
    return events_answer(rows)
