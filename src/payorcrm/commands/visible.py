"""Makes text from outside safe to print: a terminal obeys control characters."""

from unicodedata import category


def visible(text: str) -> str:
    """Return text in which control and formatting characters are written as escapes."""
    if text.isprintable():
        return text
    return "".join(char.encode("unicode_escape").decode() if category(char)[0] == "C" else char for char in text)
