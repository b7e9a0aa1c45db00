"""What a person sees whose session ended under an open page: the way back in, and the words that were just sent."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

# Signed out, a form may be read by whoever sits there next.
_NEVER_SHOWN = ("password", "secret", "csrfmiddlewaretoken")
_MOST_SHOWN = 20_000


def lead_to_sign_in(request: HttpRequest, place: str) -> HttpResponse:
    """Lead to the sign-in at `place`, and from there back to the page that was open.

    Where htmx asked, that page stays as it is under a notice. A form is not sent again by itself, for what it meant may
    be otherwise by then; the words in it are shown, so that nobody has to write them twice.
    """
    back = _open_page(request)
    sign_in = f"{place}?{urlencode({'next': back})}" if back else place
    words = words_sent(request)
    if getattr(request, "htmx", False):
        return render(request, "ui/signed_out_notice.html", {"sign_in": sign_in}, status=401)
    if words:
        return render(request, "ui/signed_out.html", {"sign_in": sign_in, "words": words}, status=401)
    return redirect(sign_in)


def words_sent(request: HttpRequest) -> str:
    """Return the texts of a form that somebody wrote rather than chose: those of more than one word."""
    if request.method != "POST":
        return ""
    texts = [
        text.strip()
        for name, values in request.POST.lists()
        for text in values
        if not any(word in name.lower() for word in _NEVER_SHOWN)
    ]
    return "\n\n".join(text for text in texts if len(text.split()) > 1)[:_MOST_SHOWN]


def _open_page(request: HttpRequest) -> str:
    """Return path and query of the page in the browser; nothing if it is not known to be ours."""
    is_part = getattr(request, "htmx", False)
    if request.method in ("GET", "HEAD") and not is_part:
        return request.get_full_path()
    open_url = request.headers.get("HX-Current-URL" if is_part else "Referer", "")
    if not url_has_allowed_host_and_scheme(open_url, allowed_hosts={request.get_host()}):
        return ""
    parts = urlsplit(open_url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
