"""Documents: text stays text whatever it looks like, bytes stay the same, screen readers are told what is what."""

import subprocess

import pytest

from payorcrm.core import typeset as typesetting
from payorcrm.core.typeset import DocumentTakesTooLong, typeset, typeset_long
from tests.factories.papers import is_tagged, language_of, page_count_of, text_of, title_of

TEMPLATE = "invoices/invoice.typ"


def values(name: str = "Acme Tools", rows: int = 1) -> dict[str, object]:
    return {
        "language": "en",
        "title": f"Invoice of {name}",
        "foot": "Foot",
        "page_words": "Page {page} of {pages}",
        "letterhead": {
            "name": name,
            "lines": ["1 Main Street"],
            "logo": [],
            "logo_says_name": False,
            "accent": "#0f62a8",
        },
        "heading": "Invoice 7",
        "due_words": "",
        "due": "",
        "to": [["Bill to", [name]]],
        "facts": [["Number", ["7"]]],
        "notice": "",
        "columns": [
            {"words": "Description", "wide": True, "number": False},
            {"words": "Amount", "wide": False, "number": True},
        ],
        "rows": [[name, f"${place}.00"] for place in range(rows)],
        "sums": [["Total", "$1.00"]],
        "pay": {"heading": "", "words": "", "address": "", "shown": ""},
    }


@pytest.mark.parametrize(
    "name",
    [
        '#eval("1 + 1")',
        "*bold* _quiet_ `code` $x^2$",
        "= Heading\\ <label> @reference // comment",
        "The \"Little\" Room, 'Ltd.' & <b>Sons</b>",
        '#{panic()} #import "x"',
        "Bäckerei Zürnhoff Łódź Ελλάδα Київ",
    ],
)
def test_text_is_never_markup(name):
    assert text_of(typeset(TEMPLATE, values(name))).count(name) >= 2


@pytest.mark.parametrize(
    "name", ["Cactus 🌵 & Co.", "شركة المثال", "חברה", "株式会社", "a\x00b\x07c", "lone \ud83d half"]
)
def test_what_no_font_draws_breaks_nothing(name):
    pdf = typeset(TEMPLATE, values(name))

    assert "Invoice 7" in text_of(pdf)
    assert is_tagged(pdf)


def test_words_longer_than_a_line_break():
    pdf = typeset(TEMPLATE, values("W" * 200))

    lines = text_of(pdf).splitlines()
    assert max(line.count("W") for line in lines) < 100
    assert sum(line.count("W") for line in lines) >= 400


def test_document_is_tagged_and_says_its_language_and_title():
    pdf = typeset(TEMPLATE, values() | {"language": "es"})

    assert (is_tagged(pdf), language_of(pdf), title_of(pdf)) == (True, "es", "Invoice of Acme Tools")


def test_same_values_make_the_same_bytes_here_and_in_a_program_of_its_own():
    first, second = typeset(TEMPLATE, values()), typeset(TEMPLATE, values())

    assert first == second == typeset_long(TEMPLATE, values())


def test_long_table_goes_on_over_pages_under_its_head():
    pdf = typeset_long(TEMPLATE, values(rows=150))

    assert page_count_of(pdf) > 2
    assert text_of(pdf).count("Description") == page_count_of(pdf)
    assert f"Page 2 of {page_count_of(pdf)}" in text_of(pdf)


def test_document_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(typesetting, "PATIENCE_SECONDS", 0.01)

    with pytest.raises(DocumentTakesTooLong):
        typeset_long(TEMPLATE, values())


def test_broken_values_are_a_mistake_of_ours_and_not_an_empty_document():
    with pytest.raises(subprocess.CalledProcessError):
        typeset_long(TEMPLATE, {"title": "No letterhead"})
