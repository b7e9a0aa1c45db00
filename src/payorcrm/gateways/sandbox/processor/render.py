"""Renders the processor's pages, with the headers that fence them in."""

import hashlib
import re
from functools import cache, partial
from pathlib import Path
from typing import Any

from babel.numbers import format_currency, get_currency_precision
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from payorcrm.gateways.sandbox.processor.languages import LOCALES, SCRIPT_WORDS, said
from payorcrm.gateways.sandbox.processor.test_numbers import BANK_ACCOUNTS, BANKS, CARDS

STATIC_FOLDER = Path(__file__).parent / "static"

BRAND_NAMES = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover"}

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _asset(name: str) -> str:
    version = hashlib.sha256((STATIC_FOLDER / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={version}"


_templates.globals.update(
    asset=cache(_asset),
    test_cards=CARDS,
    test_bank_accounts=BANK_ACCOUNTS,
    test_routing=next(iter(BANKS)),
    brand_names=BRAND_NAMES,
)


def page(
    template: str, status: int = 200, *, language: str, framed_by: str = "", leads_to: str = "", **context: Any
) -> Response:
    """Render a page that may be framed by one origin (or none) and whose form may lead to one other origin."""
    context |= {
        "language": language,
        "said": partial(said, language=language),
        "script_words": {text: said(text, language) for text in SCRIPT_WORDS},
    }
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"base-uri 'none'; form-action 'self' {leads_to}; frame-ancestors {framed_by or chr(39) + 'none' + chr(39)}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(_templates.get_template(template).render(context), status, headers)


def problem(title: str, words: str, status: int = 400, *, language: str) -> Response:
    """Render a page that says what is wrong with an address."""
    shown = {"title": said(title, language), "words": said(words, language)}
    return page("problem.html", status, language=language, accent="", **shown)


def amount_text(minor: int, currency: str, language: str) -> str:
    """Write an amount of minor units as people in the United States do."""
    decimals = get_currency_precision(currency)
    return format_currency(minor / 10**decimals, currency, locale=LOCALES[language])


def accent_of(text: str) -> str:
    """Return six lower-case hex digits if the text is such a colour, with or without a hash; else nothing."""
    bare = text.removeprefix("#").lower()
    return bare if re.fullmatch(r"[0-9a-f]{6}", bare) else ""


def accent_css(colour: str) -> str:
    """Return the style sheet of an accent colour, with a readable colour for text upon it."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    # WCAG 2.2, relative luminance; 0.179 is where black and white contrast equally.
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    text = "#000" if luminance > 0.179 else "#fff"
    # Lines on white need 3:1 (WCAG 2.2, 1.4.11), which colours lighter than 0.3 do not reach.
    line = f"--dark-accent:color-mix(in srgb,#{colour},#000 50%)" if luminance > 0.3 else ""
    return f":root{{--accent:#{colour};--on-accent:{text};{line}}}"
