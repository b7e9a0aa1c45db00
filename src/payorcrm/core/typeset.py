"""PDFs from typst templates, which lie beside the code that fills them. Values go in as JSON: text is never markup.

Only the fonts inside typst's wheel are used and no day is written, so that the same values make the same bytes
everywhere. As a program (`python -m payorcrm.core.typeset TEMPLATE`) it reads the JSON and writes the PDF.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import typst
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Unavailable

PACKAGE = Path(__file__).resolve().parent.parent
# Typst takes about 150 KB of memory a row of a table and keeps it; a program of its own gives it back.
MOST_ROWS_HERE = 100
PATIENCE_SECONDS = 20.0

_one_at_a_time = Lock()
_one_long_at_a_time = Lock()
_ENDLESS_WORD = re.compile(r"\S{32}(?=\S)")
_BREAK_HERE = "\N{ZERO WIDTH SPACE}"


class DocumentTakesTooLong(Unavailable):
    """A long document was not ready in time, or others are being made just now."""

    code: ClassVar[str] = "document_takes_too_long"
    message = _("This document takes too long to make right now. Please try again in a moment.")


def typeset(template: str, values: Mapping[str, Any]) -> bytes:
    """Return the PDF of a template such as `invoices/invoice.typ`, filled with values that JSON can write.

    It is tagged for screen readers, and PDF/UA-1 unless the values hold characters that no font here can draw.
    """
    return _compile(template, _written(values))


def typeset_long(template: str, values: Mapping[str, Any]) -> bytes:
    """Do what `typeset` does, in a program of its own, one at a time. Raises DocumentTakesTooLong."""
    if not _one_long_at_a_time.acquire(timeout=PATIENCE_SECONDS):
        raise DocumentTakesTooLong
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "payorcrm.core.typeset", template],
            input=_written(values).encode(),
            stdout=subprocess.PIPE,
            check=True,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise DocumentTakesTooLong from error
    finally:
        _one_long_at_a_time.release()
    return finished.stdout


def _written(values: Mapping[str, Any]) -> str:
    return json.dumps(_breakable(values), ensure_ascii=False).encode("utf-8", "replace").decode()


def _breakable(value: Any) -> Any:
    """Let words break that are longer than any column."""
    if isinstance(value, str):
        return _ENDLESS_WORD.sub(lambda match: match[0] + _BREAK_HERE, value)
    if isinstance(value, Mapping):
        return {name: _breakable(each) for name, each in value.items()}
    # The bytes of a picture are the longest list by far.
    is_picture = isinstance(value, list) and bool(value) and isinstance(value[0], int)
    return [_breakable(each) for each in value] if isinstance(value, (list, tuple)) and not is_picture else value


def _compile(template: str, written: str) -> bytes:
    with _one_at_a_time:
        try:
            return _pdf(template, written, ["ua-1"])
        except typst.TypstError:
            # The standard refuses characters without a picture, such as emoji; a mistake in a template fails again.
            return _pdf(template, written, [])


def _pdf(template: str, written: str, standards: list[Any]) -> bytes:
    pdf = _compiler().compile(
        str(PACKAGE / template), format="pdf", sys_inputs={"values": written}, pdf_standards=standards, timestamp=0
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(
        root=str(PACKAGE), font_paths=typst.Fonts(include_system_fonts=False), ignore_system_fonts=True
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(_compile(sys.argv[1], sys.stdin.buffer.read().decode()))
