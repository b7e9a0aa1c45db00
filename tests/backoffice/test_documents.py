"""Staff see the PDFs that their customers get, and put their own in place of a drawn invoice."""

import pytest
from django.urls import reverse

from payorcrm.invoices.models import InvoiceDocument
from payorcrm.merchants.models import Role
from tests.backoffice.rows import client_of, make_shop
from tests.factories.papers import text_of
from tests.invoices.kit import pdf_upload

pytestmark = pytest.mark.django_db


def address(shop, name, row):
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug, row.id])


def test_uploaded_pdf_replaces_the_drawn_one_until_it_is_removed():
    shop = make_shop()
    client = client_of(shop.merchant, Role.COLLECTOR)
    pdf = address(shop, "invoice_pdf", shop.invoice)

    drawn = client.get(pdf).content
    page = client.post(address(shop, "document_keep", shop.invoice), {"file": pdf_upload()}, follow=True).text
    kept = client.get(pdf).content
    client.post(address(shop, "document_remove", shop.invoice))

    assert shop.invoice.number in text_of(drawn)
    assert "Our own.pdf is kept" in page
    assert kept == pdf_upload().read()
    assert client.get(pdf).content == drawn


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Choose a PDF first."),
        ({"file": pdf_upload(pdf=b"GIF89a")}, "This file is not a PDF."),
    ],
)
def test_what_is_no_pdf_is_refused_in_words(form, words):
    shop = make_shop()

    page = client_of(shop.merchant).post(address(shop, "document_keep", shop.invoice), form, follow=True).text

    assert words in page
    assert not InvoiceDocument.objects.exists()


def test_a_viewer_reads_the_pdfs_and_is_offered_no_upload():
    shop = make_shop()
    client = client_of(shop.merchant, Role.VIEWER)

    assert shop.payment.reference in text_of(client.get(address(shop, "receipt_pdf", shop.payment)).content)
    assert "Upload" not in client.get(address(shop, "invoice", shop.invoice)).text
