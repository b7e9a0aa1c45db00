"""Opens a CSV or XLSX file as a table and reads it in batches of columns. Knows nothing of what the columns mean."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import BinaryIO

from payorcrm.core.delimited import DELIMITERS, Broken, Progress, Record, records_in, records_of, sample_of
from payorcrm.core.encodings import encoding_of
from payorcrm.core.headers import HEADER_ROWS, Names, find_header, no_header, places_of
from payorcrm.core.held_file import Readable
from payorcrm.core.report_lines import ReportLines
from payorcrm.core.workbooks import is_workbook, sheets_of

BATCH_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """One value that cannot be used: its row as a spreadsheet counts them, its column's name in the file, and why."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table should look like.

    Names that a column of each meaning may have, best first; which meanings must be there (one of each group), and
    which may be there only once. No row lacks a value in the first of the `key` columns that is there; `sums` are the
    meanings that totals below a report add up.
    """

    names: Names
    required: Sequence[Sequence[str]]
    exact: Collection[str]
    key: Sequence[str]
    sums: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table, as one sequence of texts a meaning; `rows` are their numbers in the file."""

    rows: list[int]
    columns: dict[str, Sequence[str]]
    bad_rows: list[BadRow]


@dataclass(frozen=True, slots=True)
class Table:
    """An open table. Its batches can be read once."""

    header: list[str]
    header_row: int
    places: dict[str, int]
    report_lines: ReportLines
    _records: Iterator[Record] = field(repr=False)

    @property
    def understood(self) -> list[tuple[str, str]]:
        """The columns that were understood, each with its meaning, in the order of the file."""
        return sorted(((self.header[at], meaning) for meaning, at in self.places.items()), key=self._place_of)

    def _place_of(self, column: tuple[str, str]) -> int:
        return self.places[column[1]]

    @property
    def ignored_columns(self) -> list[str]:
        """The named columns that were not understood."""
        used = set(self.places.values())
        return [name for place, name in enumerate(self.header) if name and place not in used]

    def name_of(self, meaning: str) -> str:
        """Return what the file calls the column of a meaning; empty when there is none."""
        return self.header[self.places[meaning]] if meaning in self.places else ""

    def batches(self) -> Iterator[Batch]:
        """Yield the rows below the header; empty ones are left out."""
        first = self.header_row + 1
        while records := list(islice(self._records, BATCH_ROWS)):
            yield self._batch(records, first)
            first += len(records)

    def _batch(self, records: list[Record], first: int) -> Batch:
        width = len(self.header)
        rows: list[int] = []
        whole: list[list[str]] = []
        bad_rows: list[BadRow] = []
        for row, record in enumerate(records, first):
            if isinstance(record, Broken):
                bad_rows.append(BadRow(row, "", "", record.reason))
            elif len(record) > width and any(record[width:]):
                bad_rows.append(_too_wide(row, record, width))
            elif "".join(record).strip() and not self.report_lines.has(record):
                rows.append(row)
                whole.append(record if len(record) >= width else record + [""] * (width - len(record)))
        columns = list(zip(*whole, strict=False)) or [()] * width
        return Batch(rows, {meaning: columns[place] for meaning, place in self.places.items()}, bad_rows)


def _too_wide(row: int, record: list[str], width: int) -> BadRow:
    reason = (
        f"The row has {len(record)} values for {width} columns; a value with the delimiter in it needs quotation marks."
    )
    return BadRow(row, "", record[width], reason)


@contextmanager
def open_table(path: Readable, layout: Layout, progress: Progress | None = None) -> Iterator[Table]:
    """Open a file as a table. `progress` hears how far the reading is, of how much.

    Raises UnreadableFile, and of its kinds NoHeader, UnclearColumns and MissingColumns.
    """
    with path.open("rb") as file:
        if is_workbook(file):
            yield _table_in_workbook(file, layout, progress)
        else:
            with _table_in_text(file, layout, progress) as table:
                yield table


def _table_in_workbook(file: BinaryIO, layout: Layout, progress: Progress | None) -> Table:
    seen: list[list[str]] = []
    for count, rows in sheets_of(file):
        top = list(islice(rows, HEADER_ROWS))
        if find_header(top, layout.names)[1]:
            return _table(chain(top, _counted(rows, len(top), count, progress)), top, layout)
        seen = seen or top
    raise no_header(seen, layout.names)


def _counted(rows: Iterator[list[str]], first: int, count: int, progress: Progress | None) -> Iterator[list[str]]:
    if not progress:
        yield from rows
        return
    for place, row in enumerate(rows, first):
        if place % BATCH_ROWS == 0:
            progress(place, count)
        yield row
    progress(count, count)


@contextmanager
def _table_in_text(file: BinaryIO, layout: Layout, progress: Progress | None) -> Iterator[Table]:
    encoding = encoding_of(file)
    sample = sample_of(file, encoding)
    tops = {delimiter: records_in(sample, delimiter, HEADER_ROWS) for delimiter in DELIMITERS}
    scores = {delimiter: find_header(top, layout.names)[1] for delimiter, top in tops.items()}
    delimiter = max(scores, key=lambda one: scores[one])
    if not scores[delimiter]:
        raise no_header(tops[delimiter], layout.names)
    with records_of(file, encoding, delimiter, progress) as records:
        yield _table(records, tops[delimiter], layout)


def _table(records: Iterator[Record], top: list[list[str]], layout: Layout) -> Table:
    place, _ = find_header(top, layout.names)
    header = [name.strip() for name in top[place]]
    while header and not header[-1]:
        header.pop()
    places = places_of(header, layout.names, layout.required, layout.exact)
    unnamed = frozenset(at for at, name in enumerate(header) if not name)
    report_lines = ReportLines(
        next(places[meaning] for meaning in layout.key if meaning in places),
        unnamed,
        frozenset(places.get(meaning, -1) for meaning in layout.sums),
    )
    return Table(header, place + 1, places, report_lines, islice(records, place + 1, None))
