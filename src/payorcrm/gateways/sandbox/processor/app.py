"""The sandbox processor as an ASGI application, `app`, for any server that speaks ASGI with its lifespan."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from payorcrm.gateways.sandbox.processor import (
    accounts,
    cancel,
    challenge,
    charges,
    deliver,
    events,
    methods,
    pages,
    refunds,
    settle,
    verify,
)
from payorcrm.gateways.sandbox.processor.answers import ApiError, render_error
from payorcrm.gateways.sandbox.processor.database import create_tables, make_pool
from payorcrm.gateways.sandbox.processor.render import STATIC_FOLDER
from payorcrm.gateways.sandbox.processor.settings import read_settings

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the pool, make the tables, and run settling and deliveries beside the requests."""
    settings = read_settings(os.environ)
    pool = make_pool(settings)
    await pool.open(wait=True, timeout=30)
    await create_tables(pool)
    app.state.settings, app.state.pool, app.state.news = settings, pool, asyncio.Event()
    background = asyncio.create_task(deliver.run_until_cancelled(pool, settings, app.state.news))
    background.add_done_callback(_tell_of_its_end)
    try:
        yield
    finally:
        background.cancel()
        await asyncio.wait([background])
        await pool.close()


def _tell_of_its_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        _log.critical("Settling and deliveries have stopped.", exc_info=task.exception())


async def health(request: Request) -> Response:
    """GET /health: 200 when the database answers."""
    async with request.app.state.pool.connection() as connection:
        await connection.execute("SELECT 1")
    return JSONResponse({"status": "ready"})


def _post(path: str, endpoint: object) -> Route:
    return Route(path, endpoint, methods=["POST"])  # type: ignore[arg-type]


app = Starlette(
    lifespan=lifespan,
    exception_handlers={ApiError: render_error},
    routes=[
        Route("/health", health),
        _post("/v1/accounts", accounts.open_account),
        Route("/v1/account", accounts.show_account),
        _post("/v1/charges", charges.make_charge),
        Route("/v1/charges", charges.find_charge),
        Route("/v1/charges/{id}", charges.show_charge),
        _post("/v1/charges/cancel", cancel.cancel_charge),
        _post("/v1/refunds", refunds.make_refund),
        Route("/v1/refunds", refunds.find_refund),
        Route("/v1/events", events.list_events),
        _post("/v1/methods/{token}/attach", methods.attach_method),
        _post("/v1/methods/{id}/verify", verify.verify_method),
        Route("/v1/methods/{token}", methods.remove_method, methods=["DELETE"]),
        _post("/v1/test/methods", methods.make_test_method),
        Route("/v1/test/methods/{id}/deposits", verify.show_deposits),
        _post("/v1/test/settle", settle.step_all_now),
        _post("/v1/test/charges/{id}/advance", settle.advance_charge),
        _post("/v1/test/charges/{id}/send", cancel.send_charge),
        _post("/v1/test/refunds/{id}/fail", refunds.fail_refund),
        Route("/fields/routing/{number}", pages.check_routing),
        Route("/fields/{kind}", pages.show_fields),
        _post("/fields/{kind}", pages.take_fields),
        Route("/hosted/{kind}", pages.show_hosted),
        _post("/hosted/{kind}", pages.take_hosted),
        Route("/challenge/{id}", challenge.show_challenge),
        _post("/challenge/{id}", challenge.take_challenge),
        Route("/accent/{colour}.css", pages.show_accent),
        Mount("/static", StaticFiles(directory=STATIC_FOLDER)),
    ],
)
