"""Sealing every encrypted column again with the first of `ENCRYPTION_KEYS`, so that older keys can be taken away."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models
from psycopg import sql

from payorcrm.core.crypto import EncryptedTextField, rotate

BATCH = 500


def rotate_keys(*, report: Callable[[int], None] = lambda count: None) -> int:
    """Seal all encrypted values anew, in batches, and return how many. Can be stopped and run again."""
    sealed = 0
    for table, key, column in _encrypted_columns():
        last = None
        while batch := _next_batch(table, key, column, last):
            _seal_again(table, key, column, batch)
            last = batch[-1][0]
            sealed += len(batch)
            report(sealed)
    return sealed


def _encrypted_columns() -> Iterator[tuple[str, str, str]]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model._meta.db_table, _key_column(model), field.column


def _key_column(model: type[models.Model]) -> str:
    return str(model._meta.pk.column)


def _next_batch(table: str, key: str, column: str, last: UUID | None) -> list[tuple[UUID, bytes]]:
    statement = sql.SQL(
        "SELECT {key}, {column} FROM {table} "
        "WHERE {column} IS NOT NULL AND (%s::uuid IS NULL OR {key} > %s) ORDER BY {key} LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(_named(statement, table, key, column), [last, last, BATCH])
        return [(identity, bytes(sealed)) for identity, sealed in cursor.fetchall()]


def _seal_again(table: str, key: str, column: str, batch: list[tuple[UUID, bytes]]) -> None:
    # A value that was written meanwhile is sealed with the first key already.
    statement = sql.SQL(
        "UPDATE {table} AS t SET {column} = fresh.new FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[]) "
        "AS fresh (id, old, new) WHERE t.{key} = fresh.id AND t.{column} = fresh.old"
    )
    identities = [identity for identity, _ in batch]
    before = [sealed for _, sealed in batch]
    with connection.cursor() as cursor:
        cursor.execute(_named(statement, table, key, column), [identities, before, [rotate(old) for old in before]])


def _named(statement: sql.SQL, table: str, key: str, column: str) -> Any:
    return statement.format(table=sql.Identifier(table), key=sql.Identifier(key), column=sql.Identifier(column))
