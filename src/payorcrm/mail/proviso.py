"""What must still be true at the moment a mail leaves, however long ago it was written."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proviso:
    """A condition in SQL on its own values, which are `$9` and up and go to the database as text."""

    sql: str
    values: tuple[str, ...]


def text_array(texts: Iterable[str]) -> str:
    """Return texts as one value, an array of PostgreSQL."""
    return "{" + ",".join(map(_quoted, texts)) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
