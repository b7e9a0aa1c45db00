"""Looks into a workbook before it is opened: what it would unpack to, and how far its cells reach."""

import re
import zlib
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from payorcrm.core.encodings import UnreadableFile

MOST_BYTES = 300_000_000
MOST_COLUMNS = 1_000
# A sheet is opened with room for every cell up to the last row and column, filled or not: 32 bytes each.
MOST_CELLS = 30_000_000
_CHUNK = 1 << 20
_OVERLAP = 64
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)([0-9]{1,7})["']""")


def check_zipped_workbook(file: BinaryIO) -> None:
    """Refuse an XLSX file that would take too much memory, and other zipped files. Raises UnreadableFile."""
    try:
        with ZipFile(file) as archive:
            parts = archive.infolist()
            names = {part.filename.lower() for part in parts}
            if "xl/workbook.xml" not in names or names & {"xl/workbook.bin", "content.xml"}:
                raise UnreadableFile("The file is not an Excel workbook (.xlsx); save it as one, or as CSV.")
            if sum(part.file_size for part in parts) > MOST_BYTES:
                raise UnreadableFile(f"Unpacked, the workbook is larger than {MOST_BYTES // 1_000_000} MB.")
            for part in parts:
                _check_part(archive, part)
    except (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, zlib.error) as error:
        raise UnreadableFile(f"The file looks like an Excel workbook and cannot be read as one ({error}).") from error


def _check_part(archive: ZipFile, part: ZipInfo) -> None:
    last_row, last_column, rest = 0, 0, b""
    # Reading to the end also proves the size that the file claims.
    with archive.open(part) as opened:
        while chunk := opened.read(_CHUNK):
            found = set(_REFERENCE.findall(rest + chunk))
            last_row = max(last_row, *(int(row) for _, row in found), 0)
            last_column = max(last_column, *map(_number_of, {column for column, _ in found}), 0)
            rest = chunk[-_OVERLAP:]
    if last_column > MOST_COLUMNS:
        raise UnreadableFile(f"A sheet has more than {MOST_COLUMNS:,} columns; delete those that are not needed.")
    if last_row * last_column > MOST_CELLS:
        raise UnreadableFile(f"A sheet reaches to row {last_row:,} and column {last_column:,}; delete the empty ones.")


def _number_of(column: bytes) -> int:
    number = 0
    for letter in column.upper()[:8]:
        number = number * 26 + letter - 64
    return number
