"""Reads delimited text as records, one by one, however long the file is."""

import csv
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 65_536
_LINES_BETWEEN_REPORTS = 5_000


@dataclass(frozen=True, slots=True)
class Broken:
    """What stands where a record should: its quotation marks do not match."""

    reason: str


Record = list[str] | Broken
Progress = Callable[[int, int], None]


def sample_of(file: BinaryIO, encoding: str) -> str:
    """Return the beginning of a text."""
    with _text(file, encoding) as text:
        return text.read(_SAMPLE_CHARACTERS)


def records_in(text: str, delimiter: str, count: int) -> list[list[str]]:
    """Return the first records of a sample; broken ones are empty."""
    records = _records(iter(io.StringIO(text, newline="")), delimiter)
    return [[] if isinstance(record, Broken) else record for record, _ in zip(records, range(count), strict=False)]


@contextmanager
def records_of(file: BinaryIO, encoding: str, delimiter: str, progress: Progress | None) -> Iterator[Iterator[Record]]:
    """Read a file's records from its beginning; `progress` hears of bytes read and bytes in all."""
    with _text(file, encoding) as text:
        lines = _reported(text, file, progress) if progress else iter(text)
        yield _records(lines, delimiter)


@contextmanager
def _text(file: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield text
    finally:
        text.detach()


def _records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    # Strict, because a stray quotation mark would otherwise swallow the rows up to the next one without a word.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            yield from reader
        except csv.Error as error:
            yield Broken(_reason(str(error)))
        else:
            return


def _reason(error: str) -> str:
    if "end of data" in error or "field limit" in error:
        return "A quotation mark opens here and is never closed; the rows after it cannot be told apart."
    return "A quotation mark stands where none can be; inside a quoted value it is written twice."


def _reported(text: io.TextIOWrapper, file: BinaryIO, progress: Progress) -> Iterator[str]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    for count, line in enumerate(text):
        if count % _LINES_BETWEEN_REPORTS == 0:
            progress(file.tell(), size)
        yield line
    progress(size, size)
