"""The languages of the processor's pages: English, in which the texts are written, and those of the folder `words`."""

import json
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request

_FOLDER = Path(__file__).parent / "words"
_WORDS: dict[str, Mapping[str, str]] = {"en": {}, "es": json.loads((_FOLDER / "es.json").read_text("utf-8"))}
LOCALES = {"en": "en_US", "es": "es_US"}

# What the script of the fields says; it gets these in the page's language.
SCRIPT_WORDS = (
    "3 digits on the back",
    "4 digits on the front",
    "The two account numbers differ.",
    "Use",
    "The routing number belongs to %s.",
    "Nothing was charged. Please check the marked fields.",
    "The payment processor does not answer. Nothing was charged. Please try again in a moment.",
)


def language_of(request: Request) -> str:
    """Return the language that the address asks for with `lang`, else the first of the browser's that is spoken."""
    asked = [request.query_params.get("lang", "")]
    asked += [part.partition(";")[0] for part in request.headers.get("accept-language", "").split(",")]
    spoken = (tag.strip().lower().partition("-")[0] for tag in asked)
    return next((tag for tag in spoken if tag in _WORDS), "en")


def said(text: str, language: str) -> str:
    """Return a text of the pages in a language; one that has no translation stays English."""
    return _WORDS[language].get(text, text)


def all_said(texts: Mapping[str, str], language: str) -> dict[str, str]:
    """Return complaints, by their fields, in a language."""
    return {name: said(text, language) for name, text in texts.items()}
