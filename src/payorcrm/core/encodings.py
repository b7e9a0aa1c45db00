"""Which encoding a text file is in: UTF-8, UTF-16 or Windows-1252, with or without a byte order mark."""

import codecs
from typing import BinaryIO, ClassVar

from payorcrm.core.errors import Refused

_CHUNK_BYTES = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableFile(Refused):
    """A file is no table that can be read, or lacks what is needed."""

    code: ClassVar[str] = "unreadable_file"
    message: ClassVar[str] = "This file cannot be read as a table."
    status: ClassVar[int] = 422


def encoding_of(file: BinaryIO) -> str:
    """Return the name of a codec that reads the whole file. Raises UnreadableFile."""
    file.seek(0)
    start = file.read(4_096)
    if not start:
        raise UnreadableFile("The file is empty.")
    encoding = _marked(start) or _utf_16_without_mark(start)
    if encoding:
        if not _reads(file, encoding):
            raise UnreadableFile(
                f"The file begins as {encoding.upper()} and does not go on like that; save it again as UTF-8."
            )
        return encoding
    if _reads(file, "utf-8"):
        return "utf-8"
    return _windows_1252(file)


def _marked(start: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)


def _utf_16_without_mark(start: bytes) -> str | None:
    """Tell by the zero half of most characters, which no other text has."""
    even, odd = start[0::2], start[1::2]
    if odd.count(0) > len(odd) * 0.6 and even.count(0) < len(even) * 0.1:
        return "utf-16-le"
    if even.count(0) > len(even) * 0.6 and odd.count(0) < len(odd) * 0.1:
        return "utf-16-be"
    return None


def _windows_1252(file: BinaryIO) -> str:
    # Damaged UTF-8 would read as Windows-1252 with every accent spoilt, and names would be stored like that.
    accents, damaged = _accents_and_damage(file)
    if accents > damaged or not _reads(file, "cp1252"):
        raise UnreadableFile(
            "The file is neither UTF-8, UTF-16 nor Windows-1252 text; save it as CSV in UTF-8, or as XLSX."
        )
    return "cp1252"


def _reads(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _accents_and_damage(file: BinaryIO) -> tuple[int, int]:
    """Count the characters beyond ASCII that read well as UTF-8, and those that do not."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    accents = damaged = 0
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        text = decoder.decode(chunk)
        wrong = text.count("\ufffd")
        damaged += wrong
        accents += sum(1 for character in text if character > "\x7f") - wrong
    return accents, damaged
