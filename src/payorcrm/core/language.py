"""The language that pages and mails are written in: Django's active one, and what hangs on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils import translation

_AMERICAN = "en_US"
# Our customers live in the United States, whatever they speak: $1,150.00, never 1.150,00 $.
_LOCALES = {"en": _AMERICAN, "es": "es_US"}


def babel_locale() -> str:
    """Return the locale of the active language for Babel: "en_US" or "es_US"."""
    code = translation.get_language()
    return _LOCALES.get(code) or _locale_of(code) if code else _AMERICAN


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Write everything within in a language; an empty or unknown code means the installation's own."""
    with translation.override(known_language(code)):
        yield


def known_language(code: str) -> str:
    """Return the code if the product speaks that language, else the installation's own."""
    return code if code in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


@cache
def direction_of(code: str) -> str:
    """Say which way a language is written: "ltr" or "rtl"."""
    return Locale.parse(_locale_of(code)).text_direction


@cache
def _locale_of(code: str) -> str:
    try:
        return str(Locale.parse(code, sep="-"))
    except (UnknownLocaleError, ValueError):
        return _AMERICAN
