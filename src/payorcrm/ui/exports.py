"""CSV and XLSX that stream, and that no spreadsheet runs as a program."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

# A cell that begins with one of these is a formula to Excel and its kin (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
# Where decimals have a comma, spreadsheets part a line at semicolons, or tabs; quotation marks inside it hold nothing
# together then, and what follows is a cell of its own.
_FORMULA_INSIDE = re.compile(r"(?s)(?<=.)([;\t\r\n]\s*)(?=[=+\-@＝＋－＠])")


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
    """Return a cell that a spreadsheet shows as text; numbers stay numbers, and moments are read as such."""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if not isinstance(cell, str):
        return cell
    text = _FORMULA_INSIDE.sub(r"\1'", cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def table_response(
    file_name: str, head: list[str], rows: Iterable[list[object]], *, query: Mapping[str, object]
) -> HttpResponseBase:
    """Send rows as a workbook where the address says `as=xlsx`, else as CSV; `file_name` has no ending."""
    if query.get("as") == "xlsx":
        return xlsx_response(f"{file_name}.xlsx", head, rows)
    return csv_response(f"{file_name}.csv", head, rows)


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# The most characters a cell holds, by Microsoft's own limits of Excel.
_LONGEST_CELL = 32_767
# A moment needs so many, or Excel shows nothing but crosses.
_COLUMN_WIDTH = 20


def xlsx_response(file_name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> FileResponse:
    """Send rows under a head as a workbook; numbers, days and moments stay what they are, text is never a formula.

    A moment has no zone: it is a time of the merchant's.

    Rows go to a file on disk as they come, so that memory does not grow with them.
    """
    written = TemporaryFile()  # noqa: SIM115 (closed by the response)
    _write_workbook(written, head, rows)
    written.seek(0)
    return FileResponse(written, as_attachment=True, filename=file_name, content_type=_XLSX)


def _write_workbook(written: IO[bytes], head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with Workbook(written, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.set_column(0, len(head) - 1, _COLUMN_WIDTH)
        sheet.freeze_panes(1, 0)
        formats = _Formats(book)
        for column, title in enumerate(head):
            sheet.write_string(0, column, title, formats.bold)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                _write_cell(sheet, number, column, cell, formats)


class _Formats:
    """How a workbook shows heads, days and amounts, which have as many decimals as their currency."""

    def __init__(self, book: Workbook) -> None:
        self.bold: Format = book.add_format({"bold": True})
        self.day: Format = book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment: Format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        patterns = ["#,##0", "#,##0.0", "#,##0.00", "#,##0.000", "#,##0.0000"]
        self.amounts: list[Format] = [book.add_format({"num_format": pattern}) for pattern in patterns]


def _write_cell(sheet: Worksheet, number: int, column: int, cell: object, formats: _Formats) -> None:
    if isinstance(cell, Decimal):
        decimals = max(0, -int(cell.as_tuple().exponent))
        sheet.write_number(number, column, cell, formats.amounts[decimals])
    elif isinstance(cell, datetime):
        sheet.write_datetime(number, column, cell, formats.moment)
    elif isinstance(cell, int):
        sheet.write_number(number, column, cell)
    elif isinstance(cell, date):
        sheet.write_datetime(number, column, cell, formats.day)
    elif cell is not None:
        sheet.write_string(number, column, str(cell)[:_LONGEST_CELL])
