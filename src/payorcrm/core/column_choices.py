"""Looks at the top of a file without importing it, and lets a person say what its columns mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from payorcrm.core.delimited import DELIMITERS, records_in, sample_of
from payorcrm.core.encodings import UnreadableFile, encoding_of
from payorcrm.core.headers import HEADER_ROWS, Names, UnclearColumns, find_header, no_header, normalised, places_of
from payorcrm.core.held_file import Readable
from payorcrm.core.tables import Layout
from payorcrm.core.workbooks import is_workbook, sheets_of

SAMPLE_ROWS = 5
# Each has a field of its own on a page; exports of accounting programs have a tenth of it.
MOST_COLUMNS = 500

# The normalised name of a column and what it means; an empty meaning: the column is not used.
Choices = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """The top of a file: its column names, the rows below, and which column was taken for what."""

    header: list[str]
    rows: list[list[str]]
    meanings: dict[int, str]


def with_choices(layout: Layout, choices: Choices) -> Layout:
    """Return the layout in which each chosen column means what was chosen, and nothing else."""
    names = {
        meaning: (
            *(column for column, chosen in choices.items() if chosen == meaning),
            *(name for name in known if name not in choices),
        )
        for meaning, known in layout.names.items()
    }
    return replace(layout, names=names)


def look_at(path: Readable, layout: Layout) -> Look:
    """Return the top of a file; what columns mean may be incomplete. Raises UnreadableFile: no table, or too wide."""
    top = max(_tops(path), key=lambda rows: (find_header(rows, layout.names)[1], _width(rows)), default=[])
    if not _width(top):
        raise no_header(top, layout.names)
    place = _header_place(top, layout.names)
    header = [name.strip() for name in top[place]]
    while header and not header[-1]:
        header.pop()
    if len(header) > MOST_COLUMNS:
        raise UnreadableFile(
            f"The file has {len(header):,} columns; at most {MOST_COLUMNS} can be shown to choose from. "
            "Save it with the columns that the import needs."
        )
    rows = [[*row[: len(header)], *[""] * (len(header) - len(row))] for row in top[place + 1 :] if any(row)]
    return Look(header, rows[:SAMPLE_ROWS], _meanings(header, layout))


def _tops(path: Readable) -> Iterator[list[list[str]]]:
    count = HEADER_ROWS + SAMPLE_ROWS
    with path.open("rb") as file:
        if is_workbook(file):
            yield from [list(islice(rows, count)) for _, rows in sheets_of(file)]
            return
        sample = sample_of(file, encoding_of(file))
    yield from (records_in(sample, delimiter, count) for delimiter in DELIMITERS)


def _header_place(top: Sequence[Sequence[str]], names: Names) -> int:
    """Where no name is known, the first of the fullest rows is taken for the names."""
    place, known = find_header(top, names)
    return place if known else [_filled(row) for row in top].index(_width(top))


def _width(rows: Sequence[Sequence[str]]) -> int:
    return max(map(_filled, rows[:HEADER_ROWS]), default=0)


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _meanings(header: Sequence[str], layout: Layout) -> dict[int, str]:
    try:
        places = places_of(header, layout.names, required=(), exact=())
    except UnclearColumns:
        return {}
    return {place: meaning for meaning, place in places.items()}


def choices_of(header: Sequence[str], meanings: Sequence[str]) -> dict[str, str]:
    """Return what was chosen for each column of a header, as it is remembered."""
    return {normalised(name): meaning for name, meaning in zip(header, meanings, strict=True) if normalised(name)}
