"""A limit of what statements may take together, for work that others wait for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class TookTooLong(Exception):
    """Statements were broken off, and what they wrote is undone."""


@contextmanager
def at_most(limit: timedelta) -> Iterator[None]:
    """Break off what is asked within as soon as it has taken longer than `limit`, in the caller's transaction.

    Raises TookTooLong; the transaction goes on from where it was before.
    """
    ends = monotonic() + limit.total_seconds()

    def bounded(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        left = round((ends - monotonic()) * 1000)
        if left <= 0:
            raise TookTooLong
        _many, context = rest
        execute(f"SET LOCAL statement_timeout = {left}", None, False, context)
        return execute(sql, params, *rest)

    try:
        with transaction.atomic():
            with connection.execute_wrapper(bounded):
                yield
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise
