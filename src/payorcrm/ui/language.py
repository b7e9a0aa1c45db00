"""In which language a page is written: the person's own choice, else what the browser asks for.

Pages of the namespaces in `ENGLISH_NAMESPACES` are for staff and machines, and stay English.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from payorcrm.core.language import known_language

_ENGLISH = "en"


class PageLanguage:
    """Answers each request in its language; says so in the header Content-Language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(translation.get_language_from_request(request)):
            response = self.get_response(request)
            spoken = translation.get_language() or _ENGLISH
        if response.get("Content-Type", "").startswith("text/"):
            patch_vary_headers(response, ("Accept-Language",))
            response.headers.setdefault("Content-Language", spoken)
        if response.streaming and not isinstance(response, FileResponse):
            _keep_speaking(response, spoken)  # type: ignore[arg-type]
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        """Change to the language that the address or the signed-in person decides."""
        match = request.resolver_match
        if match and set(match.namespaces) & settings.ENGLISH_NAMESPACES:
            translation.activate(_ENGLISH)
        elif chosen := _choice_of_user(request):
            translation.activate(known_language(chosen))


def speak(code: str) -> None:
    """Write the rest of this answer in a language: pages behind mails speak that of the mails."""
    translation.activate(known_language(code))


def _choice_of_user(request: HttpRequest) -> str:
    # Without the cookie the session is not even asked for: what is public stays cacheable.
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return getattr(request.user, "language", "") if has_session else ""


def _keep_speaking(response: StreamingHttpResponse, code: str) -> None:
    """Write also what is made while the answer goes out in its language."""
    chunks = iter(response.streaming_content)  # type: ignore[arg-type]

    def spoken() -> Iterator[bytes]:
        while True:
            with translation.override(code):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    response.streaming_content = spoken()
