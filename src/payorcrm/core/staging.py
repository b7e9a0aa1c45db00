"""Brings the columns of a table into a temporary table by COPY, and collects the values that cannot be used."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Copy

from payorcrm.core.errors import Refused
from payorcrm.core.tables import BadRow, Batch, Table

NULL = "\\N"
# Values repeat from row to row (days, customers, round amounts); this many are kept before the cache starts anew.
_MOST_CACHED = 50_000


class NotUsable(Refused):
    """A value cannot be taken over."""

    code = "not_usable"


@dataclass(frozen=True, slots=True)
class Bad:
    """Stands where a value should, and says why there is none."""

    reason: str


Value = str | Bad


class Reader(dict[str, Value]):
    """Turns texts of a file into texts for COPY by a function that raises Refused, once for every different text."""

    def __init__(self, read: Callable[[str], str]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Value:
        value: Value
        try:
            value = self._read(text)
        except Refused as error:
            value = Bad(str(error))
        self[text] = value
        return value

    def read(self, texts: Iterable[str]) -> list[Value]:
        """Return the value for every text."""
        if len(self) > _MOST_CACHED:
            self.clear()
        return list(map(self.__getitem__, texts))


def text_reader(*, most: int, is_required: bool = False, is_one_line: bool = True) -> Callable[[str], str]:
    """Return a function that reads a text of at most `most` characters, without the white space around it."""

    def read(text: str) -> str:
        if not text.isprintable() or "\\" in text or text[:1] == " " or text[-1:] == " ":
            text = _cleaned(text, is_one_line=is_one_line)
        if is_required and not text:
            raise NotUsable("It is empty.")
        if len(text) > most:
            raise NotUsable(f"It has {len(text)} characters; at most {most} are possible.")
        return text if text.isprintable() and "\\" not in text else escaped(text)

    return read


def _cleaned(text: str, *, is_one_line: bool) -> str:
    if "\0" in text:
        raise NotUsable("It contains a NUL character; save the file again from the program that made it.")
    if is_one_line:
        return " ".join(text.split())
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escaped(text: str) -> str:
    """Write a text as COPY's text format wants it (PostgreSQL manual, COPY, Text Format)."""
    return text.translate(_ESCAPES)


def copy_rows(copy: Copy, rows: Sequence[int], columns: Sequence[Sequence[Any]], left_out: set[int]) -> None:
    """Write columns as rows of the temporary table, each after its number in the file, but for the places left out."""
    lines = zip(map(str, rows), *columns, strict=True)
    if left_out:
        lines = (line for place, line in enumerate(lines) if place not in left_out)  # type: ignore[assignment]
    text = "\n".join(map("\t".join, lines))
    if text:
        copy.write(f"{text}\n".encode())


def bad_values(batch: Batch, table: Table, columns: Mapping[str, Sequence[Value]]) -> tuple[list[BadRow], set[int]]:
    """Return what is wrong with the values of a batch, a meaning at a time, and at which places."""
    found = [
        (place, meaning, value.reason)
        for meaning, values in columns.items()
        if Bad in set(map(type, values))
        for place, value in enumerate(values)
        if isinstance(value, Bad)
    ]
    bad_rows = [
        BadRow(batch.rows[place], table.name_of(meaning), batch.columns[meaning][place], reason)
        for place, meaning, reason in found
    ]
    return bad_rows, {place for place, _, _ in found}


class FirstRows:
    """Remembers in which row every number stood first, to find those that come again."""

    def __init__(self, meaning: str) -> None:
        self._meaning = meaning
        self._rows: dict[str, int] = {}

    def repeated(self, batch: Batch, table: Table, numbers: Sequence[Value]) -> tuple[list[BadRow], set[int]]:
        """Return the rows whose number an earlier row has, and their places in the batch."""
        bad_rows, places = [], set()
        for place, (row, number) in enumerate(zip(batch.rows, numbers, strict=True)):
            if isinstance(number, str) and self._rows.setdefault(number, row) != row:
                reason = f"Row {self._rows[number]} has the same {self._meaning}."
                bad_rows.append(BadRow(row, table.name_of(self._meaning), number, reason))
                places.add(place)
        return bad_rows, places
