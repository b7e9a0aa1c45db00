"""The pages that Django asks for by name: missing, forbidden, broken, and a form that was open too long."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from payorcrm.ui.signed_out import words_sent


def error_page(request: HttpRequest, *, status: int, title: str, text: str, words: str = "") -> HttpResponse:
    """Render an error as a page, or as a notice when htmx asked for a part of one; `words` are shown to be copied."""
    template = "ui/notice.html" if getattr(request, "htmx", False) else "ui/error.html"
    return render(request, template, {"title": title, "text": text, "status": status, "words": words}, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    text = _("This page does not exist, or it is not yours to see. Please check the address.")
    return error_page(request, status=404, title=_("Nothing is here"), text=text)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    text = _("Your sign-in does not allow this. Nothing was changed.")
    return error_page(request, status=403, title=_("This is not open to you"), text=text)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    text = _("Nothing was changed. Go back and try once more.")
    return error_page(request, status=400, title=_("That could not be read"), text=text)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without looking anything up: the database may be what failed."""
    text = _("If you were paying, nothing is charged twice: we check every payment with the bank.")
    return error_page(request, status=500, title=_("Something broke on our side"), text=text)


def csrf_failure(request: HttpRequest, reason: str = "", **more: Any) -> HttpResponse:
    """Answer a form whose token no longer fits."""
    text = _("Nothing was charged. Go back and press the button again.")
    # No page of a stranger can say that it is one of ours, and so none can put words of its own here.
    words = words_sent(request) if request.headers.get("Sec-Fetch-Site") == "same-origin" else ""
    return error_page(request, status=403, title=_("This page was open too long"), text=text, words=words)
