"""Static files are collected once, and again when they have changed."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from pytest_django.fixtures import Settings

from payorcrm.commands.static_files import collect_static_files


@pytest.fixture
def source(settings: Settings, tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "page.css").write_text("body { color: black }")
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_DIRS = [folder]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    finders.get_finder.cache_clear()
    yield folder
    finders.get_finder.cache_clear()


def collected(source: Path) -> set[str]:
    return {path.name for path in (source.parent / "static").glob("page.*.css")}


def test_files_are_named_by_their_content(source: Path) -> None:
    collect_static_files()

    assert len(collected(source)) == 1


def test_unchanged_files_are_left_alone(source: Path) -> None:
    collect_static_files()
    before = (source.parent / "static" / "staticfiles.json").stat().st_mtime_ns

    collect_static_files()

    assert (source.parent / "static" / "staticfiles.json").stat().st_mtime_ns == before


def test_changed_file_is_collected_anew_and_the_old_one_is_gone(source: Path) -> None:
    collect_static_files()
    old = collected(source)

    (source / "page.css").write_text("body { color: navy }")
    collect_static_files()

    assert len(collected(source)) == 1
    assert collected(source).isdisjoint(old)
