"""Attaches files to an invoice: proofs of delivery, orders, pictures. They are only ever handed out as downloads."""

from datetime import datetime
from pathlib import PurePath
from typing import ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.invoices.models import Invoice, InvoiceFile

MOST_BYTES = 5_000_000
MOST_FILES = 20
_TEXT = b""  # begins with nothing in particular
_ZIP = b"PK\x03\x04"  # what workbooks and documents of Office are, inside
_OFFICE = "application/vnd.openxmlformats-officedocument"
# Ending: its type, and how such a file begins.
TYPES: dict[str, tuple[str, bytes]] = {
    ".pdf": ("application/pdf", b"%PDF-"),
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    ".xlsx": (f"{_OFFICE}.spreadsheetml.sheet", _ZIP),
    ".docx": (f"{_OFFICE}.wordprocessingml.document", _ZIP),
    ".csv": ("text/csv", _TEXT),
    ".txt": ("text/plain", _TEXT),
}
TYPES_IN_WORDS = "PDF, PNG, JPEG, XLSX, DOCX, CSV or TXT"


class CannotAttach(Refused):
    """A file is too large, of a type that is not kept, not what its name says, or one too many."""

    code: ClassVar[str] = "cannot_attach"
    status: ClassVar[int] = 422


def attach_file(
    *, invoice: Invoice, file: UploadedFile, is_for_customer: bool, uploaded_by: User | None, now: datetime
) -> InvoiceFile:
    """Keep an uploaded file beside an invoice. Raises CannotAttach."""
    if (file.size or 0) > MOST_BYTES:
        raise CannotAttach("The file is larger than 5 MB. Please choose a smaller one.")
    content = file.read()
    name = _plain_name(file.name or "")
    content_type = _type_of(name, content)
    with transaction.atomic():
        Invoice.objects.select_for_update(no_key=True).get(id=invoice.id)
        if InvoiceFile.objects.filter(invoice=invoice).count() >= MOST_FILES:
            raise CannotAttach(f"This invoice has {MOST_FILES} files already. Remove one first.")
        return InvoiceFile.objects.create(
            merchant_id=invoice.merchant_id,
            invoice=invoice,
            file_name=name,
            content_type=content_type,
            content=content,
            byte_count=len(content),
            is_for_customer=is_for_customer,
            uploaded_by=uploaded_by,
            uploaded_at=now,
        )


def remove_file(file: InvoiceFile) -> None:
    """Forget an attached file; one that is gone already stays gone."""
    InvoiceFile.objects.filter(id=file.id).delete()


def _type_of(name: str, content: bytes) -> str:
    kind = TYPES.get(PurePath(name).suffix.lower())
    if kind is None:
        raise CannotAttach(f"Files of this type are not kept. Choose a {TYPES_IN_WORDS} file.")
    content_type, beginning = kind
    if not content.startswith(beginning) or (beginning == _TEXT and b"\0" in content):
        raise CannotAttach(f"“{name}” is not what its name says. Save it again as a {TYPES_IN_WORDS} file.")
    return content_type


def _plain_name(name: str) -> str:
    last = PurePath(name.replace("\\", "/")).name
    printable = "".join(letter for letter in last if letter.isprintable()).strip()
    return printable[-255:]
