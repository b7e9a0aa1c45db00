"""Answers with a PDF that the browser shows, or a file that it saves; no cache keeps either."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header

# What file systems refuse in a name, or take for the end of one.
_NOT_IN_NAMES = '/\\:*?"<>|'


def pdf_response(pdf: bytes, name: str) -> HttpResponse:
    """Return a PDF to be shown in the browser and kept as `<name>.pdf`."""
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=False, filename=pdf_name(name)) or "inline"
    )
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def download_response(content: bytes, *, file_name: str, content_type: str) -> HttpResponse:
    """Return a file that somebody uploaded: to be saved, never to be shown in a page of ours."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file_name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def pdf_name(name: str) -> str:
    """Return a file name that every system takes."""
    plain = "".join(" " if letter in _NOT_IN_NAMES or not letter.isprintable() else letter for letter in name)
    return f"{' '.join(plain.split())[:100].strip('. ') or 'document'}.pdf"
