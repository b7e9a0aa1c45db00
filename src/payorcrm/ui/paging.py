"""Keyset pagination: a page starts after a row, not at an offset, so the last page costs as much as the first."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

Row = TypeVar("Row", bound=Model)
PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the query strings of the pages beside them; empty where there is none."""

    rows: list[Row]
    next: str = ""
    previous: str = ""


def page_of(
    queryset: QuerySet[Row],
    *,
    by: tuple[str, ...],
    query: QueryDict,
    size: int = PAGE_SIZE,
) -> Page[Row]:
    """Return the page that `query` asks for (`after=` or `before=`) of rows ordered by `by`.

    All names of `by` run the same way ("-due_on", "-id"), none may be null, and together they are unique.
    """
    after, before = (
        _key_from(query.get("after"), queryset, by),
        _key_from(query.get("before"), queryset, by),
    )
    if before and not after:
        reverse = tuple(_flipped(name) for name in by)
        found = list(queryset.filter(_beyond(reverse, before)).order_by(*reverse)[: size + 1])
        rows, has_previous, has_next = found[:size][::-1], len(found) > size, True
    else:
        following = queryset.filter(_beyond(by, after)) if after else queryset
        found = list(following.order_by(*by)[: size + 1])
        rows, has_previous, has_next = found[:size], bool(after), len(found) > size
    return Page(
        rows=rows,
        next=_address(query, "after", rows[-1], by) if rows and has_next else "",
        previous=_address(query, "before", rows[0], by) if rows and has_previous else "",
    )


def _flipped(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(by: tuple[str, ...], key: list[Any]) -> Q:
    """Rows behind `key` in the order `by`: (a, b) > (x, y) is a > x, or a = x and b > y."""
    condition = Q()
    same = Q()
    for name, value in zip(by, key, strict=True):
        bare, comparison = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        condition |= same & Q(**{f"{bare}__{comparison}": value})
        same &= Q(**{bare: value})
    # Says nothing new, but lets PostgreSQL begin in an index where the page begins.
    first, comparison = by[0].lstrip("-"), "lte" if by[0].startswith("-") else "gte"
    return Q(**{f"{first}__{comparison}": key[0]}) & condition


def _address(query: QueryDict, word: str, row: Model, by: tuple[str, ...]) -> str:
    copy = query.copy()
    for old in ("after", "before"):
        copy.pop(old, None)
    # Moments are written in full: cut to milliseconds, as JavaScript's are, they would repeat or pass over rows.
    key = json.dumps([getattr(row, name.lstrip("-")) for name in by], default=str)
    copy[word] = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    return copy.urlencode()


def _key_from(text: str | None, queryset: QuerySet[Row], by: tuple[str, ...]) -> list[Any]:
    """Read a key back; one that was tampered with leads to the first page."""
    if not text:
        return []
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return [_typed(queryset, name.lstrip("-"), value) for name, value in zip(by, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError):
        return []


def _typed(queryset: QuerySet[Row], name: str, value: Any) -> Any:
    # PostgreSQL knows no NUL and no halves of surrogate pairs, which do not encode either.
    if not isinstance(value, str | int) or "\0" in str(value).encode().decode():
        raise TypeError(value)
    try:
        field = queryset.model._meta.get_field(name)
    except FieldDoesNotExist:
        return value
    typed = field.to_python(value)  # type: ignore[union-attr]
    if isinstance(typed, datetime):
        if typed.tzinfo is None:
            raise TypeError(value)
        # The first and the last day of the calendar may lie outside it in UTC, which raises OverflowError.
        return typed.astimezone(UTC)
    return typed
