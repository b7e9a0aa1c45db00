"""The catalogue of translations: collects what the pages and mails say, merges it into each language, compiles it.

Pure Python; `make messages` runs it. What staff and operators read stays English and is left out.
"""

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "payorcrm"
LANGUAGES = ("es",)
# Read by staff, operators and developers only.
ENGLISH_ONLY = ("backoffice", "commands", "demo", "gateways/sandbox/processor", "locale", "sign_ups")
_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%[sd]")
# A date that changes with every run would make two people's catalogues disagree.
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


def sources() -> Iterator[Path]:
    """Yield every file that may speak to a customer."""
    for path in sorted(PACKAGE.rglob("*")):
        place = path.relative_to(PACKAGE).as_posix()
        if path.suffix in (".py", ".html", ".txt") and not place.startswith(ENGLISH_ONLY):
            yield path


def collect() -> Catalog:
    """Return all messages of the sources, untranslated."""
    catalog = Catalog()
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            text = "\n".join(line.strip() for line in templatize(text).split("\n"))
        place = path.relative_to(PACKAGE).as_posix()
        for _line, said, _comments, context in extract("python", io.BytesIO(text.encode()), _KEYWORDS):
            catalog.add(said, locations=[(place, 0)], context=context)
    return catalog


def read(language: str) -> Catalog:
    """Return the catalogue of a language as it is kept; an empty one for a new language."""
    path = catalogue_of(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def merge(language: str, wanted: Catalog) -> Catalog:
    """Return a language's catalogue with exactly the messages of the sources, in their order."""
    kept = read(language)
    merged = Catalog(
        locale=language,
        header_comment=f"# PayorCRM in {Locale(language).english_name}. `make messages` keeps it up to date.",
        project="PayorCRM",
        version=language,
        charset="utf-8",
        creation_date=_MADE_AT,
        revision_date=_MADE_AT,
        fuzzy=False,
    )
    for message in said_in(wanted):
        known = kept.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        merged.add(
            message.id, known.string if known else None, message.locations, message.flags, context=message.context
        )
    return merged


def said_in(catalog: Catalog) -> list[Message]:
    """Return the messages without the header."""
    return [message for message in catalog if message.id]


def problems_of(catalog: Catalog) -> list[str]:
    """Name what is missing, doubtful or has lost a placeholder."""
    return [f"{problem}: {_key(message)!r}" for message in said_in(catalog) for problem in _problems(message)]


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _problems(message: Message) -> Iterator[str]:
    said = [message.id] if isinstance(message.id, str) else list(message.id)
    written = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    if not all(written):
        yield "missing"
        return
    if message.fuzzy:
        yield "fuzzy"
    # The singular may say "one day"; the plural must name its number.
    known = set().union(*map(_placeholders, said))
    if any(_placeholders(one) - known for one in written):
        yield "unknown placeholder"
    if _placeholders(written[-1]) != _placeholders(said[-1]):
        yield "lost placeholder"


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def catalogue_of(language: str) -> Path:
    """Return where the catalogue of a language is kept."""
    return PACKAGE / "locale" / language / "LC_MESSAGES" / "django.po"


def written(catalog: Catalog) -> bytes:
    """Return a catalogue as it is kept."""
    out = io.BytesIO()
    write_po(out, catalog, width=120, sort_by_file=True, ignore_obsolete=True, include_lineno=False)
    return out.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """Return a catalogue as programs read it."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main() -> int:
    """Bring every language up to date; return 1 if something is left to translate."""
    wanted, count = collect(), 0
    for language in LANGUAGES:
        path, catalog = catalogue_of(language), merge(language, wanted)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(catalog))
        path.with_suffix(".mo").write_bytes(compiled(read(language)))
        problems = problems_of(catalog)
        count += len(problems)
        sys.stdout.write("".join(f"{language}: {problem}\n" for problem in problems))
        sys.stdout.write(f"{language}: {len(said_in(catalog))} messages, {len(problems)} to look at\n")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
