"""CSV that streams, and that no spreadsheet runs as a program."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

# A cell that begins with one of these is a formula to Excel and its kin (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_response(file_name: str, head: list[str], rows: Iterable[list[object]]) -> StreamingHttpResponse:
    """Stream rows under a head as a download; with a byte order mark, so that Excel reads UTF-8."""
    response = StreamingHttpResponse(_lines(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _lines(head: list[str], rows: Iterable[list[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(head)
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])


def harmless(cell: object) -> object:
    """Return a cell that a spreadsheet shows as text; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell
