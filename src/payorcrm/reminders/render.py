"""Fills a template of reminders with values.

A template of plain fields is rendered and inlined once and cut open at its fields; one with conditions each time anew.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError
from markupsafe import Markup

from payorcrm.mail.compose import tidy_text
from payorcrm.mail.layout import inline_styles
from payorcrm.mail.marks import Marks
from payorcrm.reminders.fields import (
    BLOCK_FIELDS,
    HTML_ENVIRONMENT,
    MERGE_FIELDS,
    PLAIN_FIELDS,
    TEXT_ENVIRONMENT,
    TemplateRefused,
    parse,
)
from payorcrm.reminders.plain_text import text_of

# What a missing name leaves behind: "Hello ," reads better without the space.
_SPACE_BEFORE_MARK = re.compile(r" +(?=[ ,.!?:;]|</)")
_PARAGRAPH_BEGINS = re.compile(r"<p\b[^<>]*>$")
_MARKS = Marks(MERGE_FIELDS)


@dataclass(frozen=True, slots=True)
class Values:
    """The values of those fields that a template uses: safe HTML, and text."""

    html: Mapping[str, str]
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """Subject, inner HTML and text of one mail."""

    subject: str
    html: str
    text: str


class CannotFill(TemplateRefused):
    """A template that was saved cannot be filled in."""

    code = "cannot_fill_template"


@dataclass(frozen=True, slots=True)
class PlainForm:
    """A text cut open at its fields: literal, field, literal, field, … literal."""

    pieces: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """Put the values in; a missing one takes the space before it along, and a paragraph of nothing else."""
        pieces = list(self.pieces)
        for place in range(1, len(pieces), 2):
            value = pieces[place] = values[pieces[place]]
            if not value:
                pieces[place - 1 : place + 2] = _joined(pieces[place - 1], pieces[place + 1])
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class LiquidForm:
    """A template with conditions or filters; a missing value is nil there."""

    template: BoundTemplate
    is_html: bool
    accent: str

    def fill(self, values: Mapping[str, str]) -> str:
        """Render the template. Raises CannotFill."""
        # The values for HTML are escaped already.
        safe = Markup if self.is_html else str
        given = {name: safe(values[name]) if values[name] else None for name in PLAIN_FIELDS if name in values}
        blocks = {name: _MARKS.by_gap[name] if values[name] else None for name in BLOCK_FIELDS if name in values}
        try:
            filled = self.template.render(**given, **blocks)
        except LiquidError as error:
            raise CannotFill(f"The template of this reminder cannot be filled in: {error.message}.") from error
        if not all(values.values()):
            filled = _SPACE_BEFORE_MARK.sub("", filled)
        if self.is_html:
            filled = inline_styles(filled, self.accent)
        return _MARKS.pattern.sub(lambda mark: values[mark[1]], filled)


def _joined(before: str, after: str) -> tuple[str, str, str]:
    """Return the literals on both sides of a missing value, and nothing between them."""
    begins = _PARAGRAPH_BEGINS.search(before) if after.startswith("</p>") else None
    if begins:
        return before[: begins.start()], "", after.removeprefix("</p>")
    return before.rstrip(" "), "", after


Form = PlainForm | LiquidForm


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template ready to be filled many times."""

    subject: Form
    html: Form
    text: Form
    fields: frozenset[str]

    def write(self, values: Values) -> Written:
        """Return one mail's subject and both its parts. Raises CannotFill."""
        return Written(
            subject=self.subject.fill(values.text),
            html=self.html.fill(values.html),
            text=tidy_text(self.text.fill(values.text)),
        )


@lru_cache(maxsize=128)
def compile_template(subject: str, body: str, accent: str) -> Compiled:
    """Make a saved template ready. Raises TemplateRefused if it was not saved by us."""
    return Compiled(
        subject=_form(subject, TEXT_ENVIRONMENT, ""),
        html=_form(body, HTML_ENVIRONMENT, accent),
        text=_form(text_of(body), TEXT_ENVIRONMENT, ""),
        fields=frozenset(parse(f"{subject}\n{body}").template.analyze().globals),
    )


def _form(source: str, environment: Environment, accent: str) -> Form:
    parsed = parse(source, environment=environment)
    is_html = environment is HTML_ENVIRONMENT
    if not parsed.is_plain:
        return LiquidForm(parsed.template, is_html, accent)
    marked = parsed.template.render(**_MARKS.by_gap)
    return PlainForm(_MARKS.cut(inline_styles(marked, accent) if is_html else marked))
