"""Tells the headings, totals and footers of a printed report from its rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LABEL = re.compile(
    r"(?:grand )?totals?(?: for .+)?\Z|(?:(?:accrual|cash) basis\b|(?:mon|tues|wednes|thurs|fri|satur|sun)day,).*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ReportLines:
    """Where the key, the unnamed columns and the summed ones stand in a table."""

    key: int
    unnamed: frozenset[int]
    sums: frozenset[int]

    def has(self, record: Sequence[str]) -> bool:
        """Say whether a record without its key is only a label, perhaps with sums: "Total for Acme,,,$1,150.00"."""
        key = record[self.key].strip() if len(record) > self.key else ""
        if key and key[:5].lower() != "total":
            return False
        filled = [place for place, cell in enumerate(record) if cell.strip()]
        label = filled[0]
        is_label = label in self.unnamed or _LABEL.match(record[label].strip())
        return bool(is_label) and all(place in self.sums for place in filled[1:])
