"""Collects style sheets, scripts and pictures for the web server, when they have changed since the last time."""

import fcntl
import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_static_files() -> None:
    """Copy, name by content and compress the static files, unless that is done; one program at a time."""
    target = Path(settings.STATIC_ROOT)
    target.mkdir(parents=True, exist_ok=True)
    with (target.parent / "static.lock").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        state = _state_of_sources()
        note = target / ".collected"
        if note.exists() and note.read_text() == state:
            return
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        note.write_text(state)


def _state_of_sources() -> str:
    """Return a digest of names, sizes and times of all source files, and of how they are stored."""
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            state = Path(storage.path(name)).stat()
            digest.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
