"""The second step of a charge: the payer's bank asks, and the payer completes it or not."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from payorcrm.gateways.sandbox.processor.database import Connection, Row
from payorcrm.gateways.sandbox.processor.languages import language_of
from payorcrm.gateways.sandbox.processor.origins import origin_of
from payorcrm.gateways.sandbox.processor.render import amount_text, page, problem
from payorcrm.gateways.sandbox.processor.settle import answer_second_step

_CHARGE = """
    SELECT charges.*, methods.brand, methods.last4, accounts.name AS merchant
    FROM sandbox.charges
    JOIN sandbox.methods ON methods.id = charges.method_id
    JOIN sandbox.accounts ON accounts.id = charges.account_id
    WHERE charges.id = %s
"""


async def show_challenge(request: Request) -> Response:
    """GET /challenge/{charge}: what is asked, and two buttons. Changes nothing."""
    async with request.app.state.pool.connection() as connection:
        charge = await _find(connection, request)
    return _page(request, charge) if charge else _unknown(request)


async def take_challenge(request: Request) -> Response:
    """POST /challenge/{charge}: {answer: complete | fail}, then back to the charge's return address."""
    form = await request.form(max_files=0, max_fields=5)
    async with request.app.state.pool.connection() as connection:
        charge = await _find(connection, request)
        if charge is None or form.get("answer") not in ("complete", "fail"):
            return _page(request, charge, 422) if charge else _unknown(request)
        await answer_second_step(connection, charge["id"], passed=form["answer"] == "complete")
        charge = await _find(connection, request)
    request.app.state.news.set()
    assert charge is not None
    return RedirectResponse(charge["return_url"], 303) if charge["return_url"] else _page(request, charge)


async def _find(connection: Connection, request: Request) -> Row | None:
    return await (await connection.execute(_CHARGE, (request.path_params["id"],))).fetchone()


def _page(request: Request, charge: Row, status: int = 200) -> Response:
    language = language_of(request)
    return page(
        "challenge.html",
        status,
        language=language,
        leads_to=origin_of(charge["return_url"]),
        accent="",
        charge=charge,
        amount=amount_text(charge["amount"], charge["currency"], language),
    )


def _unknown(request: Request) -> Response:
    words = "This address belongs to no payment. Nothing was charged."
    return problem("Nothing to confirm here", words, 404, language=language_of(request))
