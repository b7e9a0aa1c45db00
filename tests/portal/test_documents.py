"""The PDFs of the portal: one's own only, shown in the browser, kept by no cache."""

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.invoices.documents import keep_document
from payorcrm.payments.links import payment_page_token
from tests.backoffice.rows import make_payment
from tests.factories.models import CustomerFactory, InvoiceFactory, PortalAccessFactory
from tests.factories.papers import text_of
from tests.invoices.kit import pdf_upload


@pytest.fixture
def access(db):
    return PortalAccessFactory()


@pytest.fixture
def payer(client, access):
    client.force_login(access.user)
    return client


def test_invoice_statement_and_receipt_are_shown_in_the_browser(payer, access):
    invoice = InvoiceFactory(customer=access.customer, number='INV/7 "ü"')
    payment = make_payment(access.customer, invoices=[invoice])

    answers = [
        payer.get(reverse("portal:invoice_pdf", args=[invoice.id])),
        payer.get(reverse("portal:statement_pdf")),
        payer.get(reverse("portal:receipt_pdf", args=[payment.id])),
    ]

    for answer in answers:
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"].startswith("inline; filename")
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert invoice.number in text_of(answer.content)
    assert "Invoice%20INV%207%20%C3%BC.pdf" in answers[0]["Content-Disposition"]


def test_merchants_own_pdf_is_shown_as_it_came(payer, access):
    invoice = InvoiceFactory(customer=access.customer)
    keep_document(invoice=invoice, file=pdf_upload(), now=now())

    assert payer.get(reverse("portal:invoice_pdf", args=[invoice.id])).content == pdf_upload().read()


def test_drafts_and_what_is_anothers_do_not_exist(payer, access):
    draft = InvoiceFactory(customer=access.customer, status="draft")
    theirs = InvoiceFactory(customer=CustomerFactory(merchant=access.merchant), number="INV-THEIRS")

    answers = [payer.get(reverse("portal:invoice_pdf", args=[invoice.id])).status_code for invoice in (draft, theirs)]
    statement = payer.get(reverse("portal:statement_pdf"))

    assert answers == [404, 404]
    assert "INV-THEIRS" not in text_of(statement.content)


def test_receipt_behind_the_link_of_the_result_page_needs_no_sign_in(client, access):
    payment = make_payment(access.customer, invoices=[InvoiceFactory(customer=access.customer, number="INV-7")])

    answer = client.get(reverse("portal:result_receipt", args=[payment_page_token(payment.id, now())]))

    assert "INV-7" in text_of(answer.content)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]


def test_strangers_are_sent_to_the_sign_in(client, access):
    invoice = InvoiceFactory(customer=access.customer)

    for address in (reverse("portal:statement_pdf"), reverse("portal:invoice_pdf", args=[invoice.id])):
        assert client.get(address).status_code == 302
