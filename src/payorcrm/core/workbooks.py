"""Reads the sheets of an Excel workbook as rows of texts: numbers as they are shown, days in ISO order."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from payorcrm.core.encodings import UnreadableFile
from payorcrm.core.zips import check_zipped_workbook

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def is_workbook(file: BinaryIO) -> bool:
    """Tell by the first bytes; a file's name proves nothing."""
    file.seek(0)
    return file.read(4) in (_ZIP, _OLD_EXCEL)


def sheets_of(file: BinaryIO) -> Iterator[tuple[int, Iterator[list[str]]]]:
    """Yield the row count and the rows of every visible sheet, from its very first row on. Raises UnreadableFile."""
    file.seek(0)
    if file.read(4) == _ZIP:
        check_zipped_workbook(file)
    file.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        for sheet in workbook.sheets_metadata:
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
                opened = workbook.get_sheet_by_name(sheet.name)
                yield opened.total_height, _rows(opened)
    except PasswordError:
        raise UnreadableFile("The workbook is protected by a password; save it without one.") from None
    except CalamineError as error:
        raise UnreadableFile(f"The file looks like an Excel workbook and cannot be read as one ({error}).") from error


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [_as_text(cell) for cell in row]


def _as_text(cell: Any) -> str:
    match cell:
        case str():
            return cell
        case bool():
            return str(cell).upper()
        case float():
            return _number(cell)
        case datetime():
            return cell.date().isoformat()
        case date():
            return cell.isoformat()
    return str(cell)


def _number(cell: float) -> str:
    """Write a number with the 15 digits that Excel itself counts on, without an exponent."""
    if cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return f"{cell:.15g}"
