"""The merge fields of a reminder, and the closed environment that fills them in.

Nothing but these fields can be reached: no files, no loops, no filters that grow a text.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.exceptions import LiquidError

from payorcrm.core.errors import Refused

PLAIN_FIELDS = {
    "first_name": "First Name",
    "last_name": "Last Name",
    "customer_company_name": "Customer Company Name",
    "total_invoice_amount": "Total Invoice Amount",
}
BLOCK_FIELDS = {
    "invoice_list": "Invoice List",
    "payment_buttons": "Payment Links",
    "card_payment_buttons": "Payment Links: Card Only",
    "bank_payment_buttons": "Payment Links: Bank Only",
    "statement_pdf": "Statement as PDF",
    "invoice_pdfs": "Invoices as PDF",
    "statement_summary": "Statement Summary",
    "login_register": "Link to Sign In",
}
# Those of them that stand in a line of text; the others make paragraphs of their own.
LINK_FIELDS = frozenset({"statement_pdf", "login_register"})
PAYMENT_FIELDS = frozenset({"payment_buttons", "card_payment_buttons", "bank_payment_buttons"})
_FIRST_IN_MENU = (
    "first_name",
    "last_name",
    "invoice_list",
    "customer_company_name",
    "total_invoice_amount",
    "payment_buttons",
)
_FIELDS = PLAIN_FIELDS | BLOCK_FIELDS
# In the order of the menu.
MERGE_FIELDS = {name: _FIELDS[name] for name in _FIRST_IN_MENU} | _FIELDS

TAGS = frozenset({"content", "output", "illegal", "if", "unless", "case", "comment", "#"})
TAG_WORDS = TAGS - {"content", "output", "illegal"} | frozenset(
    {"elsif", "else", "endif", "endunless", "when", "endcase", "endcomment"}
)
FILTERS = frozenset({"default", "capitalize", "upcase", "downcase", "strip"})
# The parser needs the square of a token's length in time.
MOST_TOKENS = 1_000
LONGEST_TOKEN = 500

_FIELD = re.compile(r"\{\{-?\s*(\w+)\s*-?\}\}")
_BLOCK_START = re.compile(r"\{%-?\s*(?:if|unless|case|comment)\b")
_BLOCK_END = re.compile(r"\{%-?\s*end")
_OPENING = re.compile(r"\{[{%]")
_NAME = re.compile(r"\{[{%]-?\s*(#|\w+(?:-\w+)*)")
# The parser takes the texts in a token for safe HTML, and the sanitizer does not look into them.
_MARKUP = re.compile(r"\{\{.*[<\\]|<(?![\s=>])", re.DOTALL)


class TemplateRefused(Refused):
    """A template cannot be saved as it is."""

    code = "template_refused"
    status: ClassVar[int] = 422
    message = "This template cannot be used."


class UnknownField(TemplateRefused):
    """A template names a merge field that does not exist."""

    code = "unknown_field"

    def __init__(self, name: str, line: int, nearest: str) -> None:
        self.name, self.line, self.nearest = name, line, nearest
        hint = f"Did you mean {{{{{nearest}}}}}?" if nearest else f"The fields are {', '.join(MERGE_FIELDS)}."
        super().__init__(f"Line {line}: there is no field “{name}”. {hint}")


class TemplateMistake(TemplateRefused):
    """A template is not written correctly."""

    code = "template_mistake"

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        super().__init__(f"Line {line}: {problem}")


class FieldMisplaced(TemplateRefused):
    """A field stands where it cannot be shown."""

    code = "field_misplaced"


class _ClosedEnvironment(Environment):
    block_nesting_limit = 10
    context_depth_limit = 10
    loop_iteration_limit = 100
    local_namespace_limit = 10_000
    output_stream_limit = 500_000


def _closed(*, autoescape: bool) -> Environment:
    environment = _ClosedEnvironment(undefined=StrictUndefined, autoescape=autoescape, strict_filters=True)
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in TAGS}
    environment.filters = {name: call for name, call in environment.filters.items() if name in FILTERS}
    return environment


HTML_ENVIRONMENT = _closed(autoescape=True)
TEXT_ENVIRONMENT = _closed(autoescape=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A field or a tag as it stands in a template."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A template that can be filled, and whether it holds nothing but plain places to fill."""

    template: BoundTemplate
    is_plain: bool


def parse(source: str, *, environment: Environment = HTML_ENVIRONMENT) -> Parsed:
    """Read a template. Raises UnknownField, TemplateMistake."""
    for token in tokens_in(source):
        _check_token(token, _line_at(source, token.start))
    try:
        template = environment.from_string(source)
        analysis = template.analyze()
    except LiquidError as error:
        raise TemplateMistake(_line_of(source, error), f"{error.message}.") from error
    for name, spans in analysis.filters.items():
        if name not in FILTERS:
            hint = f"There are {', '.join(sorted(FILTERS))}."
            raise TemplateMistake(_line_at(source, spans[0].index), f"there is no filter “{name}” here. {hint}")
    for name, places in analysis.globals.items():
        if name not in MERGE_FIELDS:
            raise UnknownField(name, _line_at(source, places[0].span.index), nearest_field(name))
        if any(len(place.segments) > 1 for place in places):
            raise TemplateMistake(_line_at(source, places[0].span.index), f"“{name}” has no parts.")
    return Parsed(template, is_plain=not _OPENING.search(_FIELD.sub("", source)))


def check_body(source: str) -> None:
    """Refuse a body with a mistake. Raises UnknownField, TemplateMistake, FieldMisplaced."""
    parse(source)
    for token in tokens_in(source):
        block = next((name for name in BLOCK_FIELDS if re.search(rf"\b{name}\b", token.text)), None)
        if block and "|" in token.text:
            line = _line_at(source, token.start)
            raise FieldMisplaced(f"Line {line}: {{{{{block}}}}} cannot be changed by a filter.")


def check_subject(source: str) -> None:
    """Refuse a subject with a mistake or with more than text. Raises UnknownField, TemplateMistake, FieldMisplaced."""
    used = parse(source, environment=TEXT_ENVIRONMENT).template.analyze().globals
    for name in used:
        if name in BLOCK_FIELDS:
            raise FieldMisplaced(f"{{{{{name}}}}} is more than a line of text; it belongs into the body.")


def tokens_in(source: str) -> list[Token]:
    """Return every field and tag of a template. Raises TemplateMistake at the first that does not end."""
    tokens: list[Token] = []
    end = 0
    while opening := _OPENING.search(source, end):
        tokens.append(_token_at(source, opening))
        end = tokens[-1].end
        if len(tokens) > MOST_TOKENS:
            problem = f"there are more than {MOST_TOKENS:,} fields and conditions."
            raise TemplateMistake(_line_at(source, opening.start()), problem)
    return tokens


def _token_at(source: str, opening: re.Match[str]) -> Token:
    start = opening.start()
    closing = "}}" if opening[0] == "{{" else "%}"
    end = source.find(closing, opening.end())
    if end < 0:
        raise TemplateMistake(_line_at(source, start), f"“{closing}” is missing after “{opening[0]}”.")
    if end - start > LONGEST_TOKEN:
        problem = f"between “{opening[0]}” and “{closing}” there are more than {LONGEST_TOKEN} characters."
        raise TemplateMistake(_line_at(source, start), problem)
    return Token(source[start : end + 2], start)


def _check_token(token: Token, line: int) -> None:
    found = _NAME.match(token.text)
    name = found[1] if found else ""
    if token.text.startswith("{{"):
        if not name:
            raise TemplateMistake(line, "the name of a field is missing after “{{”.")
        if name not in MERGE_FIELDS:
            raise UnknownField(name, line, nearest_field(name))
    elif name not in TAG_WORDS:
        raise TemplateMistake(line, f"“{{% {name}” is not known. There are if, unless, case and comment.")
    if _MARKUP.search(token.text):
        raise TemplateMistake(line, f"HTML cannot stand inside {token.text[:2]} … {token.text[-2:]}.")


def nearest_field(name: str) -> str:
    """Return the field that somebody may have meant, or nothing."""
    wanted = re.sub(r"\W+", "_", name.strip().lower())
    spelled = {field.replace("_", ""): field for field in MERGE_FIELDS}
    close = get_close_matches(wanted, MERGE_FIELDS, n=1) or get_close_matches(wanted.replace("_", ""), spelled, n=1)
    return spelled.get(close[0], close[0]) if close else ""


def _line_of(source: str, error: LiquidError) -> int:
    """Return where a mistake is; the parser does not say it of a block that never ends or a field cut short."""
    if error.token and error.token.source == source and error.token.start_index >= 0:
        return _line_at(source, error.token.start_index)
    tokens = tokens_in(source)
    unfinished = next((token for token in tokens if _is_unfinished(token.text)), None)
    blocks: list[Token] = []
    for token in tokens:
        if _BLOCK_START.match(token.text):
            blocks.append(token)
        elif _BLOCK_END.match(token.text) and blocks:
            blocks.pop()
    place = unfinished or next(iter(blocks), None)
    return _line_at(source, place.start if place else len(source))


def _is_unfinished(token: str) -> bool:
    if not token.startswith("{{"):
        return False
    try:
        HTML_ENVIRONMENT.from_string(token)
    except LiquidError:
        return True
    return False


def _line_at(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1
