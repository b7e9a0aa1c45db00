"""What every page needs: the visitor's address, and business errors as pages, or as fragments for htmx.

Everything else that goes wrong is left to Django: no traceback is ever shown.
"""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused, Unavailable
from payorcrm.ui.views import error_page


class VisitorAddress:
    """Puts the visitor's own address in place of the nearest proxy's, as far as the proxies are ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        count = settings.TRUSTED_PROXY_COUNT
        passed_on = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
        # What stands before the last `count` addresses was written by the visitor.
        if count and len(passed_on) >= count and _is_address(passed_on[-count]):
            request.META["REMOTE_ADDR"] = passed_on[-count]
        return self.get_response(request)


class PermissionsPolicy:
    """Gives up the browser's powers that no page here uses, for pages and for what they frame."""

    POLICY = ", ".join(
        [
            *(f"{power}=()" for power in ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope")),
            *(f"{power}=()" for power in ("magnetometer", "microphone", "midi", "payment", "usb")),
            "publickey-credentials-create=(self)",
            "publickey-credentials-get=(self)",
        ]
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", self.POLICY)
        return response


class ErrorPages:
    """Shows what `Refused` and `Unavailable` say."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for the two kinds of error that a person outside can do something about."""
        if isinstance(exception, Refused):
            return error_page(
                request,
                status=exception.status,
                title=str(_TITLES.get(exception.status, _REFUSED)),
                text=str(exception),
            )
        if isinstance(exception, (Unavailable, OperationalError)):
            text = str(exception) if isinstance(exception, Unavailable) else str(Unavailable.message)
            response = error_page(request, status=503, title=str(_("Please try again in a moment")), text=text)
            response["Retry-After"] = "30"
            return response
        return None


_REFUSED = _("That did not work")
_TITLES = {
    403: _("This is not open to you"),
    404: _("Nothing is here"),
    410: _("This link is no longer valid"),
}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
