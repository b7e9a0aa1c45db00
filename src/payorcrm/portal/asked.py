"""The signed cookie by which a browser proves that it asked for a confirmation."""

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from payorcrm.core.signing import NotGenuine, open_signed, sign
from payorcrm.payments.models import Confirmation

_PURPOSE = "asked-for-confirmation"


def remember_asking(response: HttpResponse, confirmation: Confirmation, now: datetime) -> None:
    """Let this browser complete the confirmation without the code. The cookie ends with the confirmation."""
    response.set_cookie(
        _name(confirmation),
        sign(_PURPOSE, confirmation.id.bytes, now=now),
        max_age=confirmation.expires_at - now,
        path="/confirm/",
        secure=settings.IS_SECURE,
        httponly=True,
        samesite="Lax",  # the link in a web mailer comes from another site
    )


def has_asked(request: HttpRequest, confirmation: Confirmation) -> bool:
    """Say whether this browser asked for the confirmation."""
    try:
        payload, _ = open_signed(_PURPOSE, request.COOKIES.get(_name(confirmation), ""))
    except NotGenuine:
        return False
    return payload == confirmation.id.bytes


def _name(confirmation: Confirmation) -> str:
    prefix = "__Secure-" if settings.IS_SECURE else ""
    return f"{prefix}asked-{confirmation.id.hex[-12:]}"
