"""How long functions and files are. The ten longest of each are always printed; past the limits it fails."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FUNCTION = 50
LONGEST_FILE = 400


def source_files() -> list[Path]:
    folders = (ROOT / "src", ROOT / "tests", ROOT / "bench")
    return [path for folder in folders for path in sorted(folder.rglob("*.py")) if "migrations" not in path.parts]


def function_lengths(path: Path) -> list[tuple[int, str]]:
    """Return lines and place of each function; a docstring does not make a function long."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            spoken = node.body[0] if ast.get_docstring(node) else None
            silent = spoken.end_lineno - spoken.lineno + 1 if spoken else 0
            found.append((node.end_lineno - node.lineno + 1 - silent, f"{path.relative_to(ROOT)}:{node.name}"))
    return found


def print_worst(title: str, lengths: list[tuple[int, str]]) -> None:
    ordered = sorted(lengths, reverse=True)
    middle, ninetieth = ordered[len(ordered) // 2][0], ordered[len(ordered) // 10][0]
    print(f"\n{title}: {len(ordered)}, median {middle}, 90th percentile {ninetieth}; the longest:")
    for length, name in ordered[:10]:
        print(f"  {length:4} {name}")


def test_no_function_is_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = [found for path in source_files() for found in function_lengths(path)]

    with capsys.disabled():
        print_worst("Functions", lengths)

    assert [found for found in lengths if found[0] > LONGEST_FUNCTION] == []


def test_no_file_is_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = [(len(path.read_text().splitlines()), str(path.relative_to(ROOT))) for path in source_files()]

    with capsys.disabled():
        print_worst("Files", lengths)

    assert [found for found in lengths if found[0] > LONGEST_FILE] == []


def test_every_module_opens_with_what_is_in_it() -> None:
    silent = [
        str(path.relative_to(ROOT)) for path in source_files() if not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert [name for name in silent if not name.endswith("__init__.py")] == []
