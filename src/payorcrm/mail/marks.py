"""Marks for the gaps of a text that is filled in later. They are secret, so that no name or template contains one."""

import re
import secrets
from collections.abc import Iterable


class Marks:
    """One mark for each gap."""

    def __init__(self, gaps: Iterable[str]) -> None:
        secret = secrets.token_hex(16)
        self.by_gap = {gap: f"[{secret}:{gap}]" for gap in gaps}
        self.pattern = re.compile(rf"\[{secret}:({'|'.join(self.by_gap)})\]")

    def cut(self, text: str) -> tuple[str, ...]:
        """Cut a text open: literal, name of a gap, literal, …, literal."""
        return tuple(self.pattern.split(text))
