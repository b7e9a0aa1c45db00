"""Derives the text part of a reminder from the HTML of its template; fields and tags stay as they are."""

import re
from html.parser import HTMLParser

from payorcrm.reminders.fields import BLOCK_FIELDS

BLOCKS = frozenset(["p", "div", "h1", "h2", "h3", "h4", "blockquote", "ul", "ol", "table", "hr"])
_SPACES = re.compile(r"[ \t\r\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n+")
_BLOCK_TOKEN = re.compile(rf"[ \t]*(\{{\{{-?\s*(?:{'|'.join(BLOCK_FIELDS)})\s*-?\}}\}})[ \t]*")


def text_of(html: str) -> str:
    """Return HTML as plain text: a blank line between blocks, dashes for list items, addresses after links."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.pieces).split("\n"))
    return _BLANK_LINES.sub("\n\n", _BLOCK_TOKEN.sub(r"\n\n\1\n\n", "\n".join(lines))).strip() + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS:
            self.pieces.append("\n\n")
        elif tag in ("br", "tr"):
            self.pieces.append("\n")
        elif tag == "li":
            self.pieces.append("\n- ")
        elif tag in ("td", "th"):
            self.pieces.append(" ")
        elif tag == "a":
            self._addresses.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.pieces.append("\n\n")
        elif tag == "a" and self._addresses:
            address = self._addresses.pop().removeprefix("mailto:")
            if address:
                self.pieces.append(f" ({address})")

    def handle_data(self, data: str) -> None:
        self.pieces.append(_SPACES.sub(" ", data))
