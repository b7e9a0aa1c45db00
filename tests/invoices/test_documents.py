"""The merchant's own PDF of an invoice: kept as it came, or refused with the reason."""

import pytest

from payorcrm.invoices.documents import MOST_BYTES, NotAPdf, keep_document, remove_document
from payorcrm.invoices.models import InvoiceDocument
from tests.factories.models import NOW, InvoiceFactory
from tests.invoices.kit import pdf_upload

pytestmark = pytest.mark.django_db


def test_second_upload_replaces_the_first():
    invoice = InvoiceFactory()
    keep_document(invoice=invoice, file=pdf_upload("first.pdf"), now=NOW)

    keep_document(invoice=invoice, file=pdf_upload("second.pdf", b"%PDF-1.4 other %%EOF"), now=NOW)

    document = InvoiceDocument.objects.get()
    assert (document.file_name, bytes(document.pdf)) == ("second.pdf", b"%PDF-1.4 other %%EOF")


@pytest.mark.parametrize(
    ("pdf", "words"),
    [
        (b"<html>%%EOF", "not a PDF"),
        (b"", "not a PDF"),
        (b"%PDF-1.7 but the rest is missing", "cut off"),
        (b"%PDF-1.7" + b" " * MOST_BYTES + b"%%EOF", "larger than 5 MB"),
    ],
)
def test_what_is_no_whole_pdf_is_refused_with_the_reason(pdf, words):
    with pytest.raises(NotAPdf, match=words):
        keep_document(invoice=InvoiceFactory(), file=pdf_upload(pdf=pdf), now=NOW)

    assert not InvoiceDocument.objects.exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/pass\x00wd.pdf", "passwd.pdf"),
        ("C:\\Users\\me\\März 2026.pdf", "März 2026.pdf"),
        ("\x01", "INV-7.pdf"),
    ],
)
def test_name_of_the_file_is_only_a_name(name, kept):
    invoice = InvoiceFactory(number="INV-7")
    upload = pdf_upload()
    upload._name = name

    assert keep_document(invoice=invoice, file=upload, now=NOW).file_name == kept


def test_removed_pdf_is_gone():
    invoice = InvoiceFactory()
    keep_document(invoice=invoice, file=pdf_upload(), now=NOW)

    remove_document(invoice)

    assert not InvoiceDocument.objects.exists()
