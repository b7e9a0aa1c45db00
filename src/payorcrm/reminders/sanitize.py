"""Keeps of a template's HTML what a mail may contain: text, structure, links, pictures and quiet styles.

The result is balanced, so that a template cannot break out of the layout around it.
"""

import re
from html import escape
from html.parser import HTMLParser

from payorcrm.reminders.fields import BLOCK_FIELDS, LINK_FIELDS, FieldMisplaced, TemplateMistake, tokens_in

VOID = frozenset({"br", "hr", "img"})
STRUCTURE = frozenset(
    re.findall(
        r"\w+",
        "p div span strong b em i u s a ul ol li h1 h2 h3 h4 blockquote table thead tbody tr td th small sup sub",
    )
)
DROPPED_WITH_CONTENT = frozenset(
    re.findall(
        r"\w+",
        "script style title textarea noscript iframe object embed svg math template select button form xmp",
    )
)
SCHEMES = ("https://", "http://", "mailto:", "tel:")
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"align", "valign", "colspan", "rowspan", "width"},
    "th": {"align", "valign", "colspan", "rowspan", "width"},
    "table": {"align", "width", "cellpadding", "cellspacing", "border"},
    "p": {"align"},
    "div": {"align"},
}
STYLES = re.compile(
    r"(?:color|background-color|font-(?:weight|style|size)|text-(?:align|decoration)|line-height"
    r"|(?:margin|padding)(?:-(?:top|right|bottom|left))?|width|max-width|border(?:-(?:top|right|bottom|left))?"
    r"|border-(?:radius|collapse)|vertical-align|white-space)\Z"
)
STYLE_VALUE = re.compile(r"[\w\s#%.,()-]*\Z", re.ASCII)
# Only colours may call a function; url() and expression() reach outside.
STYLE_CALL = re.compile(r"(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(", re.IGNORECASE)
IMPLIED_END = {"p": {"p"}, "li": {"li"}, "tr": {"tr", "td", "th"}, "td": {"td", "th"}, "th": {"td", "th"}}

# What inlines the styles calls itself for every level, and ends the program when there are thousands.
MOST_OPEN = 50
MOST_TAGS = 2_000
_TAG = re.compile(r"<[a-zA-Z/!?]")

# Private-use characters stand for fields and tags while the HTML is taken apart.
FIRST_MARK = 0xF0000
_MARK = re.compile("[\U000f0000-\U000ffffd]")
_OF_THEIR_OWN = "|".join(BLOCK_FIELDS.keys() - LINK_FIELDS)
_ALONE_IN_PARAGRAPH = re.compile(rf"<p(?: [^>]*)?>\s*(\{{\{{-?\s*(?:{_OF_THEIR_OWN})\s*-?\}}\}})\s*</p>")
# Braces written as character references must not come out as a field.
_OPENING_BRACE = re.compile(r"\{(?=[{%])")
_BLANK_LINE = re.compile(r"\n\s*\n")


def sanitize(source: str) -> str:
    """Return the harmless part of a template's HTML; text without any tag becomes paragraphs.

    Raises FieldMisplaced, TemplateMistake.
    """
    marked, tokens = _mark_tokens(_MARK.sub("", source.replace("\r\n", "\n")))
    clean = _read(marked, tokens)
    if not re.search(r"<[a-z]", clean):
        clean = _as_paragraphs(clean)
    clean = _MARK.sub(lambda mark: tokens[ord(mark[0]) - FIRST_MARK], clean)
    return _ALONE_IN_PARAGRAPH.sub(r"\1", clean).strip()


def _read(marked: str, tokens: list[str]) -> str:
    if len(_TAG.findall(marked)) > MOST_TAGS:
        raise TemplateMistake(1, f"there are more than {MOST_TAGS:,} HTML tags.")
    reader = _Reader(tokens)
    try:
        reader.feed(marked)
    except AssertionError:
        # What the parser raises at “<![” with an unknown word.
        raise TemplateMistake(reader.getpos()[0], "“<![” cannot be used here.") from None
    # The parser would look for the end of every further tag, in vain.
    if _TAG.match(reader.rawdata):
        raise TemplateMistake(reader.getpos()[0], "an HTML tag begins with “<” and does not end.")
    reader.close()
    return reader.result()


def _mark_tokens(source: str) -> tuple[str, list[str]]:
    tokens: list[str] = []
    pieces, end = [], 0
    for token in tokens_in(source):
        pieces += [source[end : token.start], chr(FIRST_MARK + len(tokens))]
        tokens.append(token.text)
        end = token.end
    return "".join([*pieces, source[end:]]), tokens


def _as_paragraphs(text: str) -> str:
    paragraphs = (part.strip() for part in _BLANK_LINE.split(text))
    return "\n".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in paragraphs if part)


class _Reader(HTMLParser):
    def __init__(self, tokens: list[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._tokens = tokens
        self._pieces: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def result(self) -> str:
        while self._open:
            self._pieces.append(f"</{self._open.pop()}>")
        return "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping or tag in DROPPED_WITH_CONTENT:
            if tag not in VOID and tag != "embed":
                self._dropping.append(tag)
            return
        if tag not in STRUCTURE | VOID:
            return
        self._end_implied(tag)
        self._pieces.append(f"<{tag}{self._kept(tag, attrs)}>")
        if tag not in VOID:
            self._open.append(tag)
            if len(self._open) > MOST_OPEN:
                raise TemplateMistake(self.getpos()[0], f"more than {MOST_OPEN} HTML elements stand in each other.")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag in self._dropping:
                del self._dropping[self._dropping.index(tag) :]
            return
        if tag in self._open:
            self._close_to(tag)

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._pieces.append(escape(_OPENING_BRACE.sub("", data), quote=False))

    def _end_implied(self, tag: str) -> None:
        if self._open and self._open[-1] in IMPLIED_END.get(tag, ()):
            self._close_to(self._open[-1])

    def _close_to(self, tag: str) -> None:
        while True:
            ended = self._open.pop()
            self._pieces.append(f"</{ended}>")
            if ended == tag:
                return

    def _kept(self, tag: str, attrs: list[tuple[str, str | None]]) -> str:
        kept = []
        for name, value in attrs:
            text = _OPENING_BRACE.sub("", _clean_value(tag, name, value or ""))
            if text:
                self._refuse_tokens(text)
                kept.append(f' {name}="{escape(text)}"')
        return "".join(kept)

    def _refuse_tokens(self, text: str) -> None:
        mark = _MARK.search(text)
        if mark:
            token = self._tokens[ord(mark[0]) - FIRST_MARK]
            raise FieldMisplaced(f"{token} stands inside an HTML tag; fields may stand only between tags.")


def _clean_value(tag: str, name: str, value: str) -> str:
    value = value.strip()
    if name == "style":
        return _clean_style(value)
    if name not in ATTRIBUTES.get(tag, ()):
        return ""
    if name in ("href", "src"):
        schemes = SCHEMES if name == "href" else SCHEMES[:2]
        return value if _MARK.search(value) or value.lower().startswith(schemes) else ""
    return value


def _clean_style(value: str) -> str:
    kept = []
    for declaration in value.split(";"):
        name, _, wanted = (part.strip() for part in declaration.partition(":"))
        harmless = STYLE_VALUE.match(wanted) and not STYLE_CALL.search(wanted)
        if wanted and STYLES.match(name.lower()) and harmless:
            kept.append(f"{name.lower()}: {wanted}")
    return "; ".join(kept)
