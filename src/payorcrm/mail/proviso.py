"""What must still be true at the moment a mail leaves, however long ago it was written."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proviso:
    """A condition in SQL on its own values, which are `$7` and up and go to the database as text."""

    sql: str
    values: tuple[str, ...]
