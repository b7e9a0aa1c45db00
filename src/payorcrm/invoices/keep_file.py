"""Keeps a file that staff dropped: looked at, its columns chosen, and forgotten after a day."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from django.db import transaction

from payorcrm.core.column_choices import Look, choices_of, look_at, with_choices
from payorcrm.core.dates import DateOrder
from payorcrm.core.errors import Refused
from payorcrm.core.headers import normalised
from payorcrm.core.held_file import HeldFile
from payorcrm.core.models import User
from payorcrm.core.tables import Layout
from payorcrm.customers.models import ImportKind
from payorcrm.customers.stage_customers import LAYOUT as CUSTOMERS
from payorcrm.invoices.models import ColumnChoices, ImportFile, ImportState
from payorcrm.invoices.stage_invoices import LAYOUT as INVOICES
from payorcrm.merchants.models import Merchant

MOST_BYTES = 20 * 1024 * 1024
KEPT_FOR = timedelta(days=1)
_LAYOUTS = {ImportKind.CUSTOMERS: CUSTOMERS, ImportKind.INVOICES: INVOICES}


class FileTooLarge(Refused):
    """A file has more bytes than an import takes."""

    code: ClassVar[str] = "file_too_large"
    status: ClassVar[int] = 413
    message: ClassVar[str] = "The file is larger than 20 MB. Divide it, and import the parts one after another."


class ChosenTwice(Refused):
    """Two columns were given the same meaning."""

    code: ClassVar[str] = "chosen_twice"
    status: ClassVar[int] = 422


class NotWaiting(Refused):
    """The import of a file was started already, or it is over."""

    code: ClassVar[str] = "not_waiting"
    message: ClassVar[str] = "This file is being imported already, or its import is over."


def layout_of(kind: str) -> Layout:
    """Return what a file of this kind should look like."""
    return _LAYOUTS[ImportKind(kind)]


def keep_file(
    *, merchant: Merchant, kind: ImportKind, name: str, content: bytes, uploaded_by: User, now: datetime
) -> ImportFile:
    """Keep a file with what the merchant's staff chose last time. Raises FileTooLarge, UnreadableFile."""
    if len(content) > MOST_BYTES:
        raise FileTooLarge
    last = ColumnChoices.objects.filter(merchant=merchant, kind=kind).first()
    file = ImportFile(
        merchant=merchant,
        kind=kind,
        file_name=_safe(name),
        content=content,
        choices=last.choices if last else {},
        dates=last.dates if last else "",
        uploaded_by=uploaded_by,
        uploaded_at=now,
    )
    look(file)
    file.save(force_insert=True)
    return file


def _safe(name: str) -> str:
    plain = "".join(letter for letter in Path(name.replace("\\", "/")).name if letter.isprintable())
    # File systems take 255 bytes.
    return plain.encode(errors="ignore")[-200:].decode(errors="ignore") or "file"


def content_of(file: ImportFile) -> HeldFile:
    """Return the file as it was dropped, by its own name. Raises NotWaiting once it is imported."""
    if file.content is None:
        raise NotWaiting
    return HeldFile(file.file_name, bytes(file.content))


def look(file: ImportFile) -> Look:
    """Return the top of a file and what its columns are taken for. Raises UnreadableFile."""
    return look_at(content_of(file), with_choices(layout_of(file.kind), file.choices))


def is_understood(file: ImportFile, found: Look) -> bool:
    """Return whether nothing is to be asked: each column has a meaning or was left out by choice, and none lacks."""
    layout = layout_of(file.kind)
    named = {place for place, name in enumerate(found.header) if name}
    left_out = {place for place in named if file.choices.get(normalised(found.header[place])) == ""}
    meant = set(found.meanings.values())
    return named == left_out | set(found.meanings) and all(meant & set(group) for group in layout.required)


def choose_columns(*, file: ImportFile, meanings: Mapping[int, str], dates: DateOrder | None) -> ImportFile:
    """Write down what each column means, by its place, for this file and the merchant's next one.

    Raises ChosenTwice, NotWaiting.
    """
    header = look(file).header
    _check_once(header, meanings)
    chosen = choices_of(header, [meanings.get(place, "") for place in range(len(header))])
    with transaction.atomic():
        locked = ImportFile.objects.select_for_update().get(id=file.id)
        if locked.state != ImportState.WAITING:
            raise NotWaiting
        locked.choices, locked.dates = {**locked.choices, **chosen}, dates or ""
        locked.version += 1
        locked.save(update_fields=["choices", "dates", "version"])
        _remember(locked)
    return locked


def _check_once(header: list[str], meanings: Mapping[int, str]) -> None:
    places: dict[str, int] = {}
    for place, meaning in meanings.items():
        if meaning and places.setdefault(meaning, place) != place:
            raise ChosenTwice(
                f"You chose “{header[places[meaning]]}” and “{header[place]}” as the {meaning}. Choose one of them."
            )


def _remember(file: ImportFile) -> None:
    ColumnChoices.objects.update_or_create(
        merchant_id=file.merchant_id, kind=file.kind, defaults={"choices": file.choices, "dates": file.dates}
    )


def forget_files(*, now: datetime) -> int:
    """Delete the files that nobody imported within a day; return how many."""
    old = ImportFile.objects.filter(state=ImportState.WAITING, uploaded_at__lt=now - KEPT_FOR)
    return old.delete()[0]
