"""A file in memory that is read like one on a disk, and is gone with the program however that ends."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal


@dataclass(frozen=True, slots=True)
class HeldFile:
    """What somebody uploaded. A copy on a disk would stay there when a worker is killed."""

    name: str
    content: bytes

    def open(self, _mode: Literal["rb"]) -> BinaryIO:
        """Open it for reading, as a path is opened."""
        return BytesIO(self.content)


Readable = Path | HeldFile
