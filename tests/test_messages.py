"""Everything that customers read is in the catalogue, and the Spanish one is complete."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from django.template.base import BLOCK_TAG_START, VARIABLE_TAG_START

from tools.messages import (
    ENGLISH_ONLY,
    LANGUAGES,
    PACKAGE,
    catalogue_of,
    collect,
    compiled,
    problems_of,
    read,
    said_in,
    sources,
    written,
)

# Templates that staff or programs read.
NOT_FOR_CUSTOMERS = (
    "ui/shell_staff.html",
    "ui/shades.html",
    "mail/payment_returned_to_merchant.html",
    "mail/payment_returned_to_merchant.txt",
    "mail/refund_not_made_to_merchant.html",
    "mail/refund_not_made_to_merchant.txt",
    "mail/note_mention.html",
    "mail/note_mention.txt",
    "mail/staff_invitation.html",
    "mail/staff_invitation.txt",
    "mail/second_factor_reset.html",
    "mail/second_factor_reset.txt",
    "mail/run_held.html",
    "mail/run_held.txt",
    "mail/sender_trial.html",
    "mail/sender_trial.txt",
)
# Names, formats and signs are the same in every language.
SAME_EVERYWHERE = {"PDF", "CSV", "Excel", "XLSX", "Google", "USD", "OK", "ID"}
SPOKEN_ATTRIBUTES = {"aria-label", "alt", "title", "placeholder", "data-label"}
TEMPLATES = [path for path in sources() if path.suffix != ".py" and not path.as_posix().endswith(NOT_FOR_CUSTOMERS)]

_TRANSLATED = re.compile(r"{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}", re.DOTALL)
_COMMENT = re.compile(r"{#.*?#}|{%\s*comment\b.*?{%\s*endcomment\s*%}", re.DOTALL)
_WIDTH = re.compile(r"{%\s*block page_width\s*%}.*?{%\s*endblock\s*%}")
_TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
_LITERAL = re.compile(r'(?<!_\()"([^"]*)"')
_WORD = re.compile(r"[^\W\d_]{2,}")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete_and_has_nothing_old(language):
    kept = read(language)
    wanted = {(message.id, message.context) for message in said_in(collect())}

    assert {(message.id, message.context) for message in said_in(kept)} == wanted, "run `make messages`"
    assert problems_of(kept) == []
    assert not kept.obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_as_the_tool_writes_it_and_compiled(language):
    kept = read(language)

    assert written(kept) == catalogue_of(language).read_bytes(), "run `make messages`"
    assert compiled(kept) == catalogue_of(language).with_suffix(".mo").read_bytes(), "run `make messages`"
    assert len(read_mo(io.BytesIO(compiled(kept)))) == len(kept)


def test_what_is_translated_is_what_customers_read():
    assert len(TEMPLATES) > 50
    assert all((PACKAGE / folder).exists() for folder in ENGLISH_ONLY)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_text_of_a_template_is_left_untranslatable(path):
    source = path.read_text(encoding="utf-8")

    assert unwrapped(source, is_html=path.suffix == ".html") == []


def test_the_search_for_forgotten_text_finds_it():
    source = (
        '<p title="A hint">Some words {{ name }}</p>{% alert "bad" "Not wrapped." _("Wrapped.") %}'
        '{# A remark. #}<b>{% translate "Fine" %}</b>{% blocktranslate %}Fine {{ too }}{% endblocktranslate %}'
    )

    assert sorted(unwrapped(source, is_html=True)) == ["A hint", "Not wrapped.", "Some words"]


def unwrapped(source: str, *, is_html: bool) -> list[str]:
    """Return what a reader would see of a template whatever the language."""
    bare = _WIDTH.sub("", _TRANSLATED.sub("", _COMMENT.sub("", source)))
    found = [text for tag in _TAG.findall(bare) for text in _sentences(tag)]
    # Tags inside of attributes would confuse the reader of HTML.
    plain = _TAG.sub(" ", bare)
    assert BLOCK_TAG_START not in plain
    assert VARIABLE_TAG_START not in plain
    found += _texts_of(plain) if is_html else plain.split("\n")
    return [text.strip() for text in found if is_language(text)]


def _sentences(tag: str) -> list[str]:
    if tag.startswith(("{% translate", "{% icon", "{% url", "{% static", "{% include", "{% extends", "{% load")):
        return []
    # Words for programs have no spaces: states, classes, icons.
    return [text for text in _LITERAL.findall(tag) if " " in text.strip() and text[:1].isupper()]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag, attrs):
        self._silent += tag in ("style", "script")
        self.found += [value for name, value in attrs if name in SPOKEN_ATTRIBUTES and value]

    def handle_endtag(self, tag):
        self._silent -= tag in ("style", "script")

    def handle_data(self, data):
        if not self._silent:
            self.found.append(data)


def _texts_of(html: str) -> list[str]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


def is_language(text: str) -> bool:
    """Say whether a text has words that differ from language to language."""
    return any(word not in SAME_EVERYWHERE for word in _WORD.findall(text))
