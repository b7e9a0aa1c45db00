"""The PDF of an invoice that the merchant's own books made: kept as it came, and shown instead of a drawn one."""

from datetime import datetime
from pathlib import PurePath
from typing import ClassVar

from django.core.files.uploadedfile import UploadedFile

from payorcrm.core.errors import Refused
from payorcrm.invoices.models import Invoice, InvoiceDocument

MOST_BYTES = 5_000_000
# PDF readers look for both marks within this much of the file's ends (ISO 32000-1, annex H, notes 13 and 18).
_MARK_WITHIN = 1024


class NotAPdf(Refused):
    """An uploaded file cannot be kept as an invoice."""

    code: ClassVar[str] = "not_a_pdf"
    status: ClassVar[int] = 422
    message: ClassVar[str] = "This file is not a PDF. Save or print the invoice as a PDF, then choose that file."


def keep_document(*, invoice: Invoice, file: UploadedFile, now: datetime) -> InvoiceDocument:
    """Keep an uploaded PDF as the invoice's document, in place of an earlier one. Raises NotAPdf."""
    if (file.size or 0) > MOST_BYTES:
        raise NotAPdf("The file is larger than 5 MB. Please choose a smaller one.")
    pdf = file.read()
    _check(pdf)
    document, _ = InvoiceDocument.objects.update_or_create(
        invoice=invoice,
        defaults={
            "merchant_id": invoice.merchant_id,
            "file_name": _plain_name(file.name or "", invoice),
            "pdf": pdf,
            "uploaded_at": now,
        },
    )
    return document


def remove_document(invoice: Invoice) -> None:
    """Forget the uploaded PDF of an invoice; the drawn one is shown again."""
    InvoiceDocument.objects.filter(invoice=invoice).delete()


def _check(pdf: bytes) -> None:
    if b"%PDF-" not in pdf[:_MARK_WITHIN]:
        raise NotAPdf
    if b"%%EOF" not in pdf[-_MARK_WITHIN:]:
        raise NotAPdf("This PDF is cut off. Please save it again, then choose the new file.")


def _plain_name(name: str, invoice: Invoice) -> str:
    printable = "".join(letter for letter in PurePath(name.replace("\\", "/")).name if letter.isprintable()).strip()
    return printable[-255:] or f"{invoice.number}.pdf"
