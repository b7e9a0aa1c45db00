"""Reads rows of several joined tables by a statement that is written once.

A query set writes its statement anew each time. On paths that every page or payment takes, that is most of the work.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

Tables = tuple[tuple[str, type[models.Model]], ...]


def read_rows(tables: Tables, tail: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Return, for each row, an instance of every table's model, without connecting them.

    Args:
        tables: The short names that `tail` uses, and the models; all columns are read but big ones (`bytea` logos).
        tail: The statement from FROM on, with `%s` for the values; a constant.
        values: What stands for `%s`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(tables, tail), values)
        found = cursor.fetchall()
    for row in found:
        yield tuple(_instances(tables, row))


@cache
def _statement(tables: Tables, tail: str) -> str:
    columns = ", ".join(f"{table}.{column}" for table, model in tables for column in _columns_of(model))
    return f"SELECT {columns} {tail}"


@cache
def _columns_of(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields if field.attname != "logo")


@cache
def _converted_columns(model: type[models.Model]) -> list[tuple[int, Any]]:
    fields = [model._meta.get_field(name) for name in _columns_of(model)]
    return [(place, field) for place, field in enumerate(fields) if hasattr(field, "from_db_value")]


def _instances(tables: Tables, row: tuple[Any, ...]) -> Iterator[models.Model]:
    start = 0
    for _table, model in tables:
        names = _columns_of(model)
        values = list(row[start : start + len(names)])
        for place, field in _converted_columns(model):
            values[place] = field.from_db_value(values[place], None, connection)
        yield model.from_db(connection.alias, names, values)
        start += len(names)
