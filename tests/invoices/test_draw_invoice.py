"""Invoices on paper: what they say in every state, in both languages."""

from datetime import timedelta
from decimal import Decimal

import pytest

from payorcrm.core.language import speaking
from payorcrm.demo.logo import draw_logo
from payorcrm.invoices.documents import keep_document
from payorcrm.invoices.draw_invoice import draw_invoice, invoice_pdf
from payorcrm.invoices.issue import issue
from payorcrm.invoices.lines import BilledLine, LinesDoNotFit
from tests.factories.models import NOW, TODAY, CustomerFactory, InvoiceFactory, MerchantFactory, usd
from tests.factories.papers import is_tagged, language_of, text_of
from tests.invoices.kit import pdf_upload

pytestmark = pytest.mark.django_db
LINES = [
    BilledLine("Bread flour, 50 lb bag", usd("76.00"), Decimal(4), usd("19.00")),
    BilledLine("Sea salt, 3 kg tub", usd("33.75"), Decimal("7.5"), usd("4.50")),
    BilledLine("Delivery", usd("10.25")),
]


def customer():
    merchant = MerchantFactory(
        name="Alder & Finch",
        slug="alder-finch",
        address="2200 Millrace Road\nEasthaven, NY 10099",
        phone="(212) 555-0142",
        reply_to="billing@alderfinch.example",
        logo=draw_logo(),
    )
    return CustomerFactory(
        merchant=merchant, number="C-1", company_name="Juniper Street Kitchen", address="14 Juniper Street"
    )


def bill(lines=LINES):
    return issue(
        customer=customer(),
        number="INV-7",
        total=usd("120.00"),
        issued_on=TODAY,
        due_on=TODAY + timedelta(days=30),
        now=NOW,
        lines=lines,
    )


def test_invoice_says_who_owes_what_to_whom_and_how_to_pay(snapshot):
    pdf = draw_invoice(bill())

    assert text_of(pdf) == snapshot
    assert is_tagged(pdf)


def test_invoice_speaks_the_readers_language(snapshot):
    with speaking("es"):
        pdf = draw_invoice(bill())

    assert language_of(pdf) == "es"
    assert text_of(pdf) == snapshot


def test_invoice_without_lines_has_one():
    shown = text_of(draw_invoice(bill(lines=[])))

    assert shown.count("Invoice INV-7") >= 2
    assert "Quantity" not in shown


def test_lines_must_add_up():
    with pytest.raises(LinesDoNotFit, match=r"\$109\.75, but the invoice says \$120\.00"):
        bill(lines=LINES[:2])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "draft"}, "has not been issued"),
        ({"status": "void", "balance": 0}, "Nothing is owed"),
        ({"status": "written_off", "balance": 0}, "Nothing more is asked"),
        ({"status": "paid", "balance": 0}, "Paid in full"),
        ({"in_flight": 5_000}, "A payment of $50.00 is being processed"),
    ],
)
def test_paper_says_how_the_invoice_stands(fields, words):
    invoice = InvoiceFactory(customer=customer(), **fields)

    shown = text_of(draw_invoice(invoice))

    assert words in shown
    assert ("How to pay" in shown) == ("in_flight" in fields)


def test_part_payments_lower_the_balance_on_paper():
    invoice = InvoiceFactory(customer=customer(), balance=7_000)

    shown = text_of(draw_invoice(invoice))

    assert "-$50.00" in shown
    assert shown.count("$70.00") == 2


def test_uploaded_pdf_wins_over_the_drawn_one():
    invoice = bill()
    upload = pdf_upload()
    keep_document(invoice=invoice, file=upload, now=NOW)

    assert invoice_pdf(invoice) == pdf_upload().read()
