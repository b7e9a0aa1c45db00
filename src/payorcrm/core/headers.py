"""Finds the row of column names in a table, and which column is which."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from payorcrm.core.encodings import UnreadableFile

HEADER_ROWS = 15

Names = Mapping[str, Sequence[str]]


class NoHeader(UnreadableFile):
    """No row among the first ones looks like the names of columns."""

    code: ClassVar[str] = "no_header"


class UnclearColumns(UnreadableFile):
    """Two columns could be the same one."""

    code: ClassVar[str] = "unclear_columns"


class MissingColumns(UnreadableFile):
    """Columns that an import cannot do without are not in the file."""

    code: ClassVar[str] = "missing_columns"


def normalised(name: str) -> str:
    """Return a column's name as it is compared: "Due date", "DueDate" and "due_date" are one."""
    return re.sub(r"[\W_]", "", name).lower()


def find_header(rows: Sequence[Sequence[str]], names: Names) -> tuple[int, int]:
    """Return the place of the row with the most known names, and how many; the first of equals, 0 known of none."""
    known = {name for alternatives in names.values() for name in alternatives}
    scores = [len(known.intersection(map(normalised, row))) for row in rows[:HEADER_ROWS]] or [0]
    best = max(scores)
    return scores.index(best), best


def no_header(rows: Sequence[Sequence[str]], names: Names) -> NoHeader:
    """Return the error that says what was looked for and what was found instead."""
    found = next((", ".join(cell for cell in row if cell.strip()) for row in rows if any(map(str.strip, row))), "")
    wanted = ", ".join(alternatives[0] for alternatives in names.values())
    return NoHeader(
        f"None of the first {HEADER_ROWS} rows has column names such as {wanted}. "
        + (f"The first row with anything in it is: {found[:200]}." if found else "They are all empty.")
    )


def places_of(
    header: Sequence[str], names: Names, required: Sequence[Sequence[str]], exact: Collection[str]
) -> dict[str, int]:
    """Return which column has which meaning.

    Of several, the one named earliest in `names` counts, but for the meanings in `exact`, where two are refused.
    One meaning of every group in `required` must be there. Raises UnclearColumns, MissingColumns.
    """
    places = {}
    columns = [normalised(name) for name in header]
    for meaning, alternatives in names.items():
        found = [place for name in alternatives for place, column in enumerate(columns) if column == name]
        if len(found) > 1 and (meaning in exact or columns[found[0]] == columns[found[1]]):
            raise UnclearColumns(
                f"The columns “{header[found[0]]}” and “{header[found[1]]}” could both be the {meaning}. "
                "Rename or remove one of them."
            )
        if found:
            places[meaning] = found[0]
    _check_required(header, places, names, required)
    return places


def _check_required(
    header: Sequence[str], places: Mapping[str, int], names: Names, required: Sequence[Sequence[str]]
) -> None:
    missing = [group for group in required if not any(meaning in places for meaning in group)]
    if missing:
        wanted = "; ".join(
            " or ".join(f"{meaning} (such as {names[meaning][0]})" for meaning in group) for group in missing
        )
        found = ", ".join(name for name in header if name)
        raise MissingColumns(f"Columns are missing: {wanted}. The file has: {found}.")
