"""Sends events to the accounts' webhooks, signed, and again with growing delays until one answers 2xx."""

import asyncio
import contextlib
import hmac
import logging
import time
from datetime import timedelta

import psycopg
import urllib3

from payorcrm.gateways.sandbox.processor.accounts import webhook_secret
from payorcrm.gateways.sandbox.processor.database import Pool, Row
from payorcrm.gateways.sandbox.processor.refunds import step_refunds_due
from payorcrm.gateways.sandbox.processor.settings import Settings
from payorcrm.gateways.sandbox.processor.settle import step_due

_log = logging.getLogger(__name__)
_http = urllib3.PoolManager(maxsize=8, retries=False, timeout=urllib3.Timeout(total=8))

MOST_TRIES = 10
_BATCH = 20
_PAUSE_SECONDS = 1.0

# The claim reaches past the longest request, so that a killed sender's events come up again by themselves.
# Materialized, else a plan may run the limited choice more than once.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT id FROM sandbox.events WHERE next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT %s FOR UPDATE SKIP LOCKED
    )
    UPDATE sandbox.events SET attempts = attempts + 1, next_attempt_at = now() + interval '30 seconds'
    FROM due, sandbox.accounts
    WHERE events.id = due.id AND accounts.id = events.account_id
    RETURNING events.id, events.body, events.attempts, events.account_id, accounts.webhook_url
"""
_DELIVERED = """
    UPDATE sandbox.events SET delivered_at = now(), next_attempt_at = NULL, last_error = '' WHERE id = %s
"""
_FAILED = "UPDATE sandbox.events SET next_attempt_at = now() + %s, last_error = %s WHERE id = %s"


async def run_until_cancelled(pool: Pool, settings: Settings, news: asyncio.Event) -> None:
    """Settle what is due and deliver what is new, at once when told of news, else every second."""
    while True:
        news.clear()
        try:
            await step_due(pool, settings.settles_after)
            await step_refunds_due(pool)
            is_more = await deliver_batch(pool, settings.admin_key) == _BATCH
        except (psycopg.Error, OSError) as error:
            _log.warning("The database does not answer: %s", error)
            is_more = False
        if not is_more:
            await _wait(news)


async def deliver_batch(pool: Pool, admin_key: str) -> int:
    """Send the events whose time has come, a batch at the most, and return how many were tried."""
    async with pool.connection() as connection:
        claimed = await (await connection.execute(_CLAIM, (_BATCH,))).fetchall()
    await asyncio.gather(*(_deliver(pool, event, admin_key) for event in claimed))
    return len(claimed)


async def _deliver(pool: Pool, event: Row, admin_key: str) -> None:
    headers = {
        "Content-Type": "application/json",
        "Sandbox-Signature": signature(webhook_secret(admin_key, event["account_id"]), event["body"], int(time.time())),
    }
    problem = await asyncio.to_thread(_post, event["webhook_url"], event["body"], headers)
    async with pool.connection() as connection:
        if problem:
            await connection.execute(_FAILED, (delay_after(event["attempts"]), problem[:500], event["id"]))
        else:
            await connection.execute(_DELIVERED, (event["id"],))


def signature(secret: str, body: str, moment: int) -> str:
    """Return the header that signs a body at a moment in Unix seconds."""
    return f"t={moment},v1={hmac.digest(secret.encode(), f'{moment}.{body}'.encode(), 'sha256').hex()}"


def delay_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many failures: 2 s, 6 s, 18 s … about 4 h, then None for ever."""
    return timedelta(seconds=2 * 3 ** (attempts - 1)) if attempts < MOST_TRIES else None


def _post(url: str, body: str, headers: dict[str, str]) -> str:
    try:
        answer = _http.request("POST", url, body=body.encode(), headers=headers, redirect=False)
    except urllib3.exceptions.HTTPError as error:
        return repr(error)
    return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"


async def _wait(news: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(news.wait(), _PAUSE_SECONDS)
