"""What a reader sees of a PDF: its text, line by line, and what screen readers are told."""

import io

from pypdf import PdfReader


def text_of(pdf: bytes) -> str:
    """Return the text of all pages; places where a word may break are not shown."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return "\n".join(page.extract_text() for page in pages).replace("\N{ZERO WIDTH SPACE}", "")


def page_count_of(pdf: bytes) -> int:
    """Return how many pages a PDF has."""
    return len(PdfReader(io.BytesIO(pdf)).pages)


def title_of(pdf: bytes) -> str:
    """Return the title that a window shows."""
    metadata = PdfReader(io.BytesIO(pdf)).metadata
    return str(metadata.title) if metadata else ""


def language_of(pdf: bytes) -> str:
    """Return the language in which a screen reader should speak."""
    return str(PdfReader(io.BytesIO(pdf)).root_object.get("/Lang"))


def is_tagged(pdf: bytes) -> bool:
    """Say whether the PDF tells screen readers what is a heading and what a table."""
    marks = PdfReader(io.BytesIO(pdf)).root_object.get("/MarkInfo", {})
    return bool(marks.get("/Marked"))
