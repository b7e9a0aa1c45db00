"""What a request tells about the person behind it, and the headers of pages behind links of mails."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from payorcrm.payment_methods.mandate import Acceptance


def acceptance_of(request: HttpRequest, now: datetime) -> Acceptance:
    """Return the proof that goes with a pressed button: time, address, browser."""
    return Acceptance(at=now, address=address_of(request), user_agent=request.headers.get("User-Agent", ""))


def address_of(request: HttpRequest) -> str | None:
    """Return the visitor's address as the web server or the proxy in front of it saw it."""
    return request.META.get("REMOTE_ADDR") or None


def private_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Keep a page out of caches, and its address, which is a key, out of the Referer header."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"  # with it, forms arrive with "Origin: null": see ui/csrf.py
        return response

    return wrapped
