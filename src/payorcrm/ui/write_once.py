"""Pages that are written once for all who see the same, with slots for what belongs to one answer only."""

import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

_MOST_KEPT = 500
# Nobody outside knows it, so no text that people wrote can look like a slot.
_SECRET = secrets.token_hex(16)
_SLOT = re.compile(rf"{_SECRET}-(\w+)-{_SECRET}")

# A text, the name of the slot behind it, the next text, and so on to the last text.
_Sheet = list[str]
_kept: dict[Hashable, _Sheet] = {}


def render_once(
    request: HttpRequest,
    template_name: str,
    *,
    about: Hashable,
    shown: Callable[[], Mapping[str, Any]],
    slots: Mapping[str, SafeString],
) -> HttpResponse:
    """Render a page that is kept for all who ask for the same, and fill its slots with what is this answer's own.

    `about` must hold all that the template shows beside the slots, the brand and the visit included; `shown` makes its
    context, and is not called for a page that is kept. A template may print a slot, and ask nothing else of it.
    """
    if request.htmx or len(get_messages(request)):  # type: ignore[attr-defined]
        return render(request, template_name, {**shown(), **slots})
    own = {**slots, "csrf_token": get_token(request), "CSP_NONCE": str(request.csp_nonce)}  # type: ignore[attr-defined]
    key = (template_name, get_language(), about)
    sheet = _kept.get(key)
    if sheet is None:
        sheet = _write(request, template_name, {**shown(), **{name: _slot(name) for name in own}})
        _keep(key, sheet)
    return HttpResponse("".join(own[part] if place % 2 else part for place, part in enumerate(sheet)))


def _slot(name: str) -> SafeString:
    return SafeString(f"{_SECRET}-{name}-{_SECRET}")


def _write(request: HttpRequest, template_name: str, context: Mapping[str, Any]) -> _Sheet:
    return _SLOT.split(render_to_string(template_name, dict(context), request))


def _keep(key: Hashable, sheet: _Sheet) -> None:
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[key] = sheet
