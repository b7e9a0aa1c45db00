"""The check of forms, for pages that send no referrer."""

from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware


class CsrfCheck(CsrfViewMiddleware):
    """Takes "Origin: null" from this site's own pages.

    The address of a page behind a link of a mail is a key, so these pages say `Referrer-Policy: no-referrer`. A browser
    then hides the origin of their forms too and sends "null" (Fetch standard, "append a request Origin header"), which
    a sandboxed frame of a stranger sends as well. What tells them apart is Sec-Fetch-Site, which no script can set.
    Browsers before it (Safari until 16.3) are held to the token alone, as with no Origin at all: their cookies are
    `SameSite=Lax`, and `__Host-` keeps others from planting a token. The token is always checked.
    """

    def _origin_verified(self, request: HttpRequest) -> bool:
        if request.META["HTTP_ORIGIN"] == "null":
            return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        return bool(super()._origin_verified(request))  # type: ignore[misc]
