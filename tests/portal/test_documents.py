"""The PDFs of the portal: one's own only, shown in the browser, kept by no cache."""

from datetime import timedelta

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.invoices.documents import keep_document
from payorcrm.payments.links import CARD, LINK_LIFE, payment_page_token, payment_token, statement_token
from tests.backoffice.rows import make_payment
from tests.factories.models import (
    CustomerFactory,
    GatewayAccountFactory,
    InvoiceFactory,
    PortalAccessFactory,
    request_for,
)
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


@pytest.fixture
def mailed(access):
    """What a mail to a customer asked for."""
    return request_for(InvoiceFactory(customer=access.customer, number="INV-7"))


def mailed_invoice(request, invoice, moment=None):
    return reverse("portal:mailed_invoice", args=[payment_token(request.id, CARD, moment or now()), invoice.id])


def mailed_statement(request, moment=None):
    return reverse("portal:mailed_statement", args=[statement_token(request.id, moment or now())])


def test_links_of_a_mail_show_its_papers_without_signing_in(client, access, mailed):
    InvoiceFactory(customer=access.customer, number="INV-8")

    invoice = client.get(mailed_invoice(mailed, mailed.lines.get().invoice))
    statement = client.get(mailed_statement(mailed))

    assert "INV-7" in text_of(invoice.content)
    assert all(number in text_of(statement.content) for number in ("INV-7", "INV-8"))
    for answer in (invoice, statement):
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer["Cache-Control"]
    assert client.post(mailed_invoice(mailed, mailed.lines.get().invoice)).status_code == 405
    assert client.post(mailed_statement(mailed)).status_code == 405


def test_the_link_of_a_mail_shows_no_other_invoice(client, access, mailed):
    others = [
        InvoiceFactory(customer=access.customer),
        InvoiceFactory(customer=CustomerFactory(merchant=access.merchant)),
        InvoiceFactory(),
    ]

    answers = [client.get(mailed_invoice(mailed, invoice)).status_code for invoice in others]

    assert answers == [404, 404, 404]


def test_a_payment_link_shows_no_statement_and_a_statements_link_pays_nothing(client, mailed):
    invoice = mailed.lines.get().invoice
    to_pay, to_read = payment_token(mailed.id, CARD, now()), statement_token(mailed.id, now())

    addresses = [
        reverse("portal:mailed_statement", args=[to_pay]),
        reverse("portal:pay", args=[to_read]),
        reverse("portal:mailed_invoice", args=[to_read, invoice.id]),
        reverse("portal:mailed_invoice", args=[to_pay[:-2] + "AA", invoice.id]),
    ]

    assert [client.get(address).status_code for address in addresses] == [404, 404, 404, 404]


def test_links_to_papers_live_as_long_as_the_mails_payment_link(client, mailed):
    old, too_old = (now() - LINK_LIFE + timedelta(hours=1), now() - LINK_LIFE - timedelta(hours=1))
    invoice = mailed.lines.get().invoice

    answers = [
        client.get(address(moment)).status_code
        for moment in (old, too_old)
        for address in (lambda at: mailed_invoice(mailed, invoice, at), lambda at: mailed_statement(mailed, at))
    ]

    assert answers == [200, 200, 410, 410]


def test_papers_of_a_mail_are_not_drawn_without_end(client, mailed, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "mailed_pdf": "1/m/key"}
    address = mailed_invoice(mailed, mailed.lines.get().invoice)

    answers = [client.get(address).status_code, client.get(address).status_code]

    assert answers == [200, 429]


def test_the_page_behind_a_payment_link_offers_the_papers_of_its_invoices(client, mailed):
    token = payment_token(mailed.id, CARD, now())
    GatewayAccountFactory(merchant=mailed.merchant)

    page = client.get(reverse("portal:pay", args=[token])).text

    assert reverse("portal:mailed_invoice", args=[token, mailed.lines.get().invoice_id]) in page
