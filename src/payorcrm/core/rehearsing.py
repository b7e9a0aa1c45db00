"""Doing something to see what would come of it, and leaving no trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def rehearsing() -> Iterator[None]:
    """Undo in the end whatever was written within."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
