"""Lets all statements of a transaction see the same moment, whatever is written meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import SerializationFailure, UniqueViolation

TRIES = 5

T = TypeVar("T")


def in_one_snapshot(action: Callable[[], T]) -> T:
    """Do something in a transaction that sees one moment, and begin anew, a few times, if others write the same rows.

    In a transaction that has begun already, each statement sees its own moment, as always.
    """
    if connection.in_atomic_block:
        return _at_once(action)
    for _ in range(TRIES - 1):
        try:
            return _at_once(action)
        except (IntegrityError, OperationalError) as error:
            if not isinstance(error.__cause__, SerializationFailure | UniqueViolation):
                raise
    return _at_once(action)


def _at_once(action: Callable[[], T]) -> T:
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return action()
