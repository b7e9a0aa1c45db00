"""Looks through a text for what would be broken or unreadable in a mail, and names each place in words.

It only reads: no address is opened.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from PIL import ImageColor

from payorcrm.reminders.fields import (
    BLOCK_FIELDS,
    MERGE_FIELDS,
    PAYMENT_FIELDS,
    TemplateRefused,
    Token,
    check_body,
    check_subject,
    nearest_field,
    tokens_in,
)
from payorcrm.reminders.sanitize import STRUCTURE, VOID, sanitize
from payorcrm.ui.colors import Rgb, contrast

# WCAG 2.2, 1.4.3; a heading of the first level is large text.
LEAST_CONTRAST, LEAST_FOR_LARGE, LEAST_IN_DARK = 4.5, 3.0, 3.0
# The card that the text stands on, and its own colour, by day and in the dark: those of `mail/mail.css`.
PAPER, INK = (255, 255, 255), (43, 52, 66)
DARK_PAPER, DARK_INK = (22, 27, 35), (211, 218, 228)

_NAME = re.compile(r"\{\{-?\s*(\w+)")
_FIELD = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_MARKUP = re.compile(r"<[^<>]*>")
_TELEPHONE = re.compile(r"(?=(?s:.*)\d{3})\+?[\d\s().-]{3,60}\Z")
_SHOWN = 40
# Words before and after one of these do not touch.
PARAGRAPHS = frozenset(["p", "div", "li", "h1", "h2", "h3", "h4", "blockquote", "td", "th"])
_LINE_ENDS = re.compile(rf"</?(?:br|{'|'.join(sorted(PARAGRAPHS))})\b[^<>]*>", re.IGNORECASE)
_BLOCK = re.compile(rf"\{{\{{-?\s*({'|'.join(BLOCK_FIELDS)})\s*-?\}}\}}")
_TAG = re.compile(r"\{%.*?%\}", re.DOTALL)
LONGEST_BODY = 50_000


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do; a warning does not keep a text from being saved."""

    words: str
    is_warning: bool = False


def check_text(subject: str, body: str) -> list[Problem]:
    """Return everything that a person should mend or know, the problems first."""
    if len(body) > LONGEST_BODY:
        return [Problem(f"The text is longer than {LONGEST_BODY:,} characters.")]
    found = dict.fromkeys([*_in_subject(subject), *_in_body(body)])
    return sorted(found, key=lambda problem: problem.is_warning)


def _in_subject(subject: str) -> Iterator[Problem]:
    if not subject.strip():
        yield Problem("The subject is empty.")
    unknown = list(_unknown_fields(subject, "In the subject"))
    yield from unknown
    if not unknown:
        try:
            check_subject(subject)
        except TemplateRefused as refusal:
            yield Problem(f"In the subject: {refusal}")


def _in_body(body: str) -> Iterator[Problem]:
    unknown = list(_unknown_fields(body, "In the text"))
    yield from unknown
    try:
        if not unknown:
            check_body(body)
        is_empty = not sanitize(body)
    except TemplateRefused as refusal:
        yield Problem(f"In the text: {refusal}")
        return
    if is_empty:
        yield Problem("The text is empty.")
        return
    yield from _in_html(body)
    yield from _amid_words(body)
    if not any(name in PAYMENT_FIELDS for token in tokens_in(body) for name in _names_in(token)):
        words = (
            "There are no payment links: customers cannot pay from this mail. Insert “Payment Links” where they belong."
        )
        yield Problem(words, is_warning=True)


def _amid_words(body: str) -> Iterator[Problem]:
    """Warn of lists and buttons that break a sentence in two."""
    for line in _LINE_ENDS.split(body):
        first, *rest = _BLOCK.split(line)
        if _has_words(first) and any(map(_has_words, rest[1::2])):
            where, name = _place(first), MERGE_FIELDS[rest[0]]
            words = f"“{name}” stands amid a sentence, which breaks there. Put it on a line of its own."
            yield Problem(f"In the text, {where}: {words}", is_warning=True)


def _has_words(html: str) -> bool:
    return bool(unescape(_TAG.sub(" ", _MARKUP.sub(" ", html))).strip())


def _unknown_fields(source: str, where: str) -> Iterator[Problem]:
    try:
        tokens = tokens_in(source)
    except TemplateRefused:
        return
    for token in tokens:
        name = _NAME.match(token.text)
        if name and name[1] not in MERGE_FIELDS:
            nearest = nearest_field(name[1])
            known = " Choose one from “Insert fields”."
            hint = f" Did you mean “{MERGE_FIELDS[nearest]}”, {{{{{nearest}}}}}?" if nearest else known
            yield Problem(f"{where}, {_place(source[: token.start])}: there is no field {{{{{name[1]}}}}}.{hint}")


def _names_in(token: Token) -> list[str]:
    return re.findall(r"\w+", token.text)


def _in_html(body: str) -> Iterator[Problem]:
    reader = _Reader()
    # What stands in a field or condition is no HTML.
    end, pieces = 0, []
    for token in tokens_in(body):
        pieces += [body[end : token.start], _shown(token)]
        end = token.end
    reader.feed("".join([*pieces, body[end:]]))
    reader.close()
    yield from reader.problems


def _shown(token: Token) -> str:
    """Return what stands for a field while colours and links are looked at: nothing for one with colours of its own."""
    name = _NAME.match(token.text)
    if not name or name[1] in BLOCK_FIELDS:
        return " "
    return MERGE_FIELDS.get(name[1], " ")


@dataclass(slots=True)
class _Open:
    """An element that has not ended: the colours in it, and what of a link is collected."""

    tag: str
    color: Rgb | None
    paper: Rgb | None
    href: str | None = None
    words: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._before = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._look_at_picture(given)
        if tag in VOID or tag not in STRUCTURE:
            return
        if tag in PARAGRAPHS:
            self._before += " "
        outer = self._open[-1] if self._open else _Open("", None, None)
        styles = _styles(given.get("style", ""))
        self._open.append(
            _Open(
                tag,
                _color(styles.get("color", "")) or outer.color,
                _color(styles.get("background-color", "")) or outer.paper,
                given.get("href", "") if tag == "a" else None,
            )
        )

    def handle_endtag(self, tag: str) -> None:
        if not any(each.tag == tag for each in self._open):
            return
        while self._open:
            ended = self._open.pop()
            if ended.href is not None:
                self._look_at_link(ended.href, " ".join("".join(ended.words).split()))
            if ended.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        for each in self._open:
            if each.href is not None:
                each.words.append(data)
        self._before = (self._before + data)[-200:]
        if data.strip() and self._open:
            self._look_at_colors(data, self._open[-1])

    def _look_at_link(self, href: str, words: str) -> None:
        link = f"The link “{_short(words)}”" if words else f"The link without words, {_place(self._before)},"
        if fault := _fault_of_address(href.strip()):
            self.problems.append(Problem(f"{link} {fault}"))

    def _look_at_picture(self, given: dict[str, str]) -> None:
        address = given.get("src", "").strip()
        name = address.rsplit("/", 1)[-1][:_SHOWN]
        picture = f"The picture “{name}”" if name else "A picture"
        place = _place(self._before)
        if not address.lower().startswith(("https://", "http://")) or _fault_of_address(address):
            self.problems.append(Problem(f"{picture}, {place}, has no address that begins with https://."))
        if not given.get("alt", "").strip():
            self.problems.append(
                Problem(f"{picture}, {place}, has no description: say what it shows, for those who see no pictures.")
            )

    def _look_at_colors(self, data: str, inside: _Open) -> None:
        if inside.color is None and inside.paper is None:
            return
        text = f"The text “{_short(' '.join(data.split()))}”"
        least = LEAST_FOR_LARGE if any(each.tag == "h1" for each in self._open) else LEAST_CONTRAST
        ratio = contrast(inside.color or INK, inside.paper or PAPER)
        if ratio < least:
            advice = "colours that differ more" if inside.paper else "a darker one"
            measured = f"contrast {ratio:.1f} to 1, and {least:g} is the least"
            self.problems.append(Problem(f"{text} is hard to read in its colour ({measured}). Choose {advice}."))
        elif contrast(inside.color or DARK_INK, inside.paper or DARK_PAPER) < LEAST_IN_DARK:
            self.problems.append(
                Problem(f"{text} is hard to read for people whose mail program is dark.", is_warning=True)
            )


def _fault_of_address(address: str) -> str:
    """Say why an address leads nowhere; empty if it may lead somewhere."""
    scheme, colon, rest = address.partition(":")
    if not address:
        return "leads nowhere: it has no address."
    if scheme.lower() == "mailto" and colon:
        return "" if _is_mail_address(rest.partition("?")[0]) else f"does not lead to a mail address: “{_short(rest)}”."
    if scheme.lower() == "tel" and colon:
        return "" if _TELEPHONE.match(rest) else f"does not lead to a telephone number: “{_short(rest)}”."
    if scheme.lower() not in ("http", "https") or not colon:
        return f"leads to “{_short(address)}”, which mail programs cannot open. Begin it with https://."
    return "" if _is_web_address(address) else f"leads to “{_short(address)}”, which is no complete web address."


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return not re.search(r"\s", address) and ("." in host.strip(".") or host == "localhost")


def _is_mail_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _styles(text: str) -> dict[str, str]:
    pairs = (declaration.partition(":") for declaration in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _color(text: str) -> Rgb | None:
    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        return None
    return red, green, blue


def _place(before: str) -> str:
    """Say what stands before a place."""
    words = " ".join(_FIELD.sub(_as_on_its_chip, _MARKUP.sub(" ", before)).split())
    return f"after “{'…' if len(words) > _SHOWN else ''}{words[-_SHOWN:].lstrip()}”" if words else "at the beginning"


def _as_on_its_chip(written: re.Match[str]) -> str:
    return MERGE_FIELDS.get(written[1], written[0])


def _short(words: str) -> str:
    return words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1].rstrip()}…"
