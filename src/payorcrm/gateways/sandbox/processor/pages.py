"""The processor's own card and bank fields: in an iframe, and as a page of their own that needs no JavaScript."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from payorcrm.gateways.sandbox.processor.database import Row
from payorcrm.gateways.sandbox.processor.languages import all_said, language_of, said
from payorcrm.gateways.sandbox.processor.methods import offer
from payorcrm.gateways.sandbox.processor.origins import is_allowed, origin_of
from payorcrm.gateways.sandbox.processor.read_entry import (
    SECRET_FIELDS,
    Entry,
    EntryRefused,
    complaint_of_routing,
    read_bank_account,
    read_card,
)
from payorcrm.gateways.sandbox.processor.render import BRAND_NAMES, accent_css, accent_of, page, problem
from payorcrm.gateways.sandbox.processor.test_numbers import BANKS

_ACCOUNT = "SELECT id, name, origins FROM sandbox.accounts WHERE public_key = %s"
_UNKNOWN_KEY = ("This page is not set up", "The business that sent you here is not known to this processor.")
_FOREIGN = ("This page is not set up", "The business that sent you here has not registered this web address.")


async def show_fields(request: Request) -> Response:
    """GET /fields/{kind}?key&parent&accent&lang: the fields for an iframe of the parent's origin."""
    account = await _account(request)
    parent = origin_of(request.query_params.get("parent", ""))
    if account is None:
        return problem(*_UNKNOWN_KEY, language=language_of(request))
    if not is_allowed(parent, account["origins"]):
        return problem(*_FOREIGN, language=language_of(request))
    return page("fields.html", framed_by=parent, parent=parent, **_context(request, {}, {}))


async def take_fields(request: Request) -> Response:
    """POST /fields/{kind}?key: {token, summary}, or 422 with a complaint for each field."""
    account = await _account(request)
    if account is None:
        return JSONResponse({"complaints": {}, "message": said(_UNKNOWN_KEY[1], language_of(request))}, 400)
    try:
        entry = _read(request.path_params["kind"], await _form(request))
    except EntryRefused as refused:
        return JSONResponse({"complaints": all_said(refused.complaints, language_of(request))}, 422)
    summary = _summary(entry, language_of(request))
    return JSONResponse({"token": await _offer(request, account, entry), "summary": summary})


async def show_hosted(request: Request) -> Response:
    """GET /hosted/{kind}?key&return_url&accent&lang: the fields as a page."""
    account = await _account(request)
    return _refusal_of_hosted(request, account) or _hosted(request, account, {}, {}, 200)


async def take_hosted(request: Request) -> Response:
    """POST /hosted/{kind}: back to the return address with the token, or the page again with its complaints."""
    account = await _account(request)
    refusal = _refusal_of_hosted(request, account)
    if refusal or account is None:
        return refusal or problem(*_UNKNOWN_KEY, language=language_of(request))
    form = await _form(request)
    try:
        entry = _read(request.path_params["kind"], form)
    except EntryRefused as refused:
        again = {name: "Please enter it again; it is not kept." for name in SECRET_FIELDS if form.get(name)}
        return _hosted(request, account, form, all_said(again | refused.complaints, language_of(request)), 422)
    token = await _offer(request, account, entry)
    return RedirectResponse(_with_token(request.query_params["return_url"], token), 303, {"Cache-Control": "no-store"})


async def check_routing(request: Request) -> Response:
    """GET /fields/routing/{number}: what is wrong with a routing number, and its bank if known."""
    number = request.path_params["number"]
    complaint = said(complaint_of_routing(number), language_of(request))
    return JSONResponse({"complaint": complaint, "bank_name": BANKS.get(number, "")})


async def show_accent(request: Request) -> Response:
    """GET /accent/{colour}.css."""
    colour = accent_of(request.path_params["colour"])
    css = accent_css(colour) if colour else ""
    return Response(css, media_type="text/css", headers={"Cache-Control": "public, max-age=86400"})


async def _account(request: Request) -> Row | None:
    if request.path_params["kind"] not in ("card", "bank"):
        return None
    async with request.app.state.pool.connection() as connection:
        found = await connection.execute(_ACCOUNT, (request.query_params.get("key", ""),))
        row: Row | None = await found.fetchone()
        return row


async def _form(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=20)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def _offer(request: Request, account: Row, entry: Entry) -> str:
    async with request.app.state.pool.connection() as connection:
        return await offer(connection, request, account["id"], entry)


def _read(kind: str, form: Mapping[str, str]) -> Entry:
    return read_card(form, today=datetime.now(UTC).date()) if kind == "card" else read_bank_account(form)


def _summary(entry: Entry, language: str) -> str:
    kind = said("Card" if entry.kind == "card" else "Bank account", language)
    return f"{BRAND_NAMES.get(entry.brand) or entry.bank_name or kind} •••• {entry.last4}"


def _refusal_of_hosted(request: Request, account: Row | None) -> Response | None:
    if account is None:
        return problem(*_UNKNOWN_KEY, language=language_of(request))
    if not is_allowed(origin_of(request.query_params.get("return_url", "")), account["origins"]):
        return problem(*_FOREIGN, language=language_of(request))
    return None


def _hosted(
    request: Request, account: Row | None, form: Mapping[str, str], complaints: Mapping[str, str], status: int
) -> Response:
    assert account is not None
    return_url = request.query_params["return_url"]
    return page(
        "hosted.html",
        status,
        leads_to=origin_of(return_url),
        merchant=account["name"],
        return_url=return_url,
        **_context(request, form, complaints),
    )


def _context(request: Request, form: Mapping[str, str], complaints: Mapping[str, str]) -> dict[str, Any]:
    kept = {name: value for name, value in form.items() if name not in SECRET_FIELDS}
    return {
        "language": language_of(request),
        "kind": request.path_params["kind"],
        "action": f"{request.url.path}?{request.url.query}",
        "accent": accent_of(request.query_params.get("accent", "")),
        "given": {"account_type": "checking", "holder_type": "consumer"} | kept,
        "complaints": complaints,
        "bank_name": BANKS.get(kept.get("routing_number", ""), ""),
    }


def _with_token(return_url: str, token: str) -> str:
    parts = urlsplit(return_url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("method_token", token)])
    return urlunsplit(parts._replace(query=query))
