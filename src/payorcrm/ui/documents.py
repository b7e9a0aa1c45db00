"""Answers with a PDF that the browser shows, and that no cache keeps."""

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


def pdf_name(name: str) -> str:
    """Return a file name that every system takes."""
    plain = "".join(" " if letter in _NOT_IN_NAMES or not letter.isprintable() else letter for letter in name)
    return f"{' '.join(plain.split())[:100].strip('. ') or 'document'}.pdf"
