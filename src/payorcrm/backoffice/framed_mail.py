"""How a mail is shown within a page of ours."""

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_replace
from django.views.decorators.clickjacking import xframe_options_sameorigin

# A mail is a page of its own with styles inside; nothing in it may run, and only our pages may frame it.
_MAIL_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'none'"],
    "connect-src": ["'none'"],
    "frame-src": ["'none'"],
    "img-src": ["'self'", "data:"],
    "style-src": ["'unsafe-inline'"],
    "frame-ancestors": ["'self'"],
    "form-action": ["'none'"],
    "base-uri": ["'none'"],
}


def framed_mail(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let only our own pages frame what a view answers, and nothing in it run."""
    return xframe_options_sameorigin(csp_replace(_MAIL_POLICY)(view))
