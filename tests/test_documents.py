"""The documents are true where a test can tell: links, names of files, tests and variables, statements, their form."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "payorcrm"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *PACKAGE.rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
FIVE_PARTS = ["Context", "Decision", "Consequences", "Refused alternatives", "Enforced by"]

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|HOST|PORT|CHROMIUM")
FILE = re.compile(r"[\w./-]+/[\w.-]+\.(?:py|md|js|css|html|sql)(?:::test_\w+)?")
READERS = {"str", "int", "float", "bool", "list", "enum", "secret", "secret_list"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose_of(path: Path) -> str:
    """Return a document without its blocks of code."""
    return BLOCK.sub("", path.read_text())


def anchors_of(path: Path) -> set[str]:
    """Return the addresses of a document's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def words_of_the_code() -> frozenset[str]:
    """Return every word in capitals that stands in the code, the tests or the Makefile."""
    folders = (ROOT / "src", ROOT / "bench", ROOT / "tests")
    files = [path for folder in folders for path in folder.rglob("*.py") if path != Path(__file__)]
    texts = [path.read_text() for path in [*files, ROOT / "tests" / "run.sh", ROOT / "Makefile"]]
    return frozenset(re.findall(r"\b[A-Z][A-Z0-9_]+\b", "\n".join(texts)))


def reads_of_the_environment() -> Iterator[tuple[str, object]]:
    """Yield each variable that `config/` reads, and its default where that is a plain value."""
    for path in (PACKAGE / "config").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            reader = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if reader in READERS and re.fullmatch(VARIABLE, str(node.args[0].value)):
                given = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "default")]
                yield node.args[0].value, given[0].value if given and isinstance(given[0], ast.Constant) else None


def configuration_table() -> dict[str, str]:
    """Return the README's table: each variable and the default that it names."""
    rows = re.findall(r"^\| `([A-Z_]+)` \|.*\|([^|]*)\|[^|]*\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    return {variable: default.strip(" `") for variable, default in rows}


def as_shown(default: object) -> str:
    """Return a default as one would write it into the environment."""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def columns_in(title: str) -> list[tuple[str, list[str]]]:
    """Return the meanings and names of one table of the page about importing."""
    part = (ROOT / "docs" / "importing.md").read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ((?:`\w+` ?)+)\|", part, re.MULTILINE)
    return [(meaning, CODE_SPAN.findall(names)) for meaning, names in rows]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    lost = []
    for target in LINK.findall(prose_of(path)):
        place, _, anchor = target.partition("#")
        found = (path.parent / place).resolve() if place else path
        is_there = "://" in target or (found.exists() and (not anchor or anchor in anchors_of(found)))
        lost += [] if is_there else [target]

    assert lost == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_named_variable_stands_in_the_code(path: Path) -> None:
    spans = " ".join(CODE_SPAN.findall(prose_of(path)))
    named = set(re.findall(rf"\b(?:{VARIABLE.pattern})\b", spans))

    assert named - words_of_the_code() == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_named_file_and_test_exists(path: Path) -> None:
    missing = []
    for span in CODE_SPAN.findall(prose_of(path)):
        if not re.fullmatch(FILE, span) or span.startswith("/"):
            continue
        place, _, test = span.partition("::")
        found = next((base / place for base in (ROOT, PACKAGE, path.parent) if (base / place).is_file()), None)
        if found is None or (test and f"def {test}(" not in found.read_text()):
            missing.append(span)

    assert missing == []


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_every_decision_has_its_five_parts_and_one_sentence(path: Path) -> None:
    text = path.read_text()
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    parts = dict(zip(titles, re.split(r"^## .+$", text, flags=re.MULTILINE)[1:], strict=True))

    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert list(parts) == FIVE_PARTS
    assert all(part.strip() for part in parts.values())
    assert re.fullmatch(r"> [^\n]+[^.\n]\.", parts["Decision"].strip())
    assert CODE_SPAN.search(parts["Enforced by"])


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_configuration_table_has_every_variable_with_its_default() -> None:
    table, reads = configuration_table(), dict(reads_of_the_environment())

    assert set(table) == set(reads)
    plain = {variable: as_shown(default) for variable, default in reads.items() if default is not None}
    assert {variable: table[variable] for variable in plain} == plain


def test_architecture_names_every_package_and_files_that_exist() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text().split("## The packages")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\| ([^|]+) \|$", table, re.MULTILINE)

    assert {package for package, _ in rows} == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    for package, files in rows:
        for name in CODE_SPAN.findall(files):
            place = PACKAGE / package / name
            assert place.is_dir() or place.with_suffix(".py").is_file(), f"{package}/{name}"


def test_importing_names_every_column_that_is_recognised() -> None:
    from payorcrm.customers.stage_customers import LAYOUT as CUSTOMERS
    from payorcrm.invoices.stage_invoices import LAYOUT as INVOICES

    for title, layout in (("Columns of invoices", INVOICES), ("Columns of customers", CUSTOMERS)):
        assert columns_in(title) == [(meaning, list(names)) for meaning, names in layout.names.items()]


def test_readme_names_every_command() -> None:
    from payorcrm.commands.line import COMMANDS

    named = re.findall(r"^\| `payorcrm ([\w-]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert set(named) == set(COMMANDS)


@pytest.mark.django_db
def test_every_statement_in_the_documents_runs() -> None:
    statements = [
        statement
        for path in DOCUMENTS
        for language, text in BLOCK.findall(path.read_text())
        if language == "sql"
        for statement in text.split(";\n")
        if statement.strip()
    ]

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

    assert statements
