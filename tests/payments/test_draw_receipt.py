"""Receipts: what they say of the money is true on the day on which they are drawn."""

from datetime import timedelta

import pytest

from payorcrm.core.language import speaking
from payorcrm.mail.drafts import composer_of
from payorcrm.payment_methods.models import Mandate
from payorcrm.payments.draw_receipt import receipt_pdf
from payorcrm.payments.models import PaymentState
from tests.backoffice.rows import make_mail, make_payment
from tests.factories.models import (
    NOW,
    TODAY,
    CustomerFactory,
    InvoiceFactory,
    MerchantFactory,
    PaymentMethodFactory,
    usd,
)
from tests.factories.papers import is_tagged, language_of, text_of

pytestmark = pytest.mark.django_db
FACTS = {"returned": {"return_code": "R01", "returned_at": NOW}, "declined": {"decline_code": "insufficient_funds"}}


def payment(state="succeeded", **fields):
    merchant = MerchantFactory(name="Alder & Finch", slug="alder-finch", address="2200 Millrace Road")
    customer = CustomerFactory(merchant=merchant, number="C-1", company_name="Juniper Street Kitchen")
    invoice = InvoiceFactory(customer=customer, number="INV-7", amount=usd("120.00"))
    defaults = {"reference": "PAY-7K2M-9QXD-4T", "submitted_at": NOW, "settled_at": NOW}
    return make_payment(customer, invoices=[invoice], state=state, **defaults | FACTS.get(state, {}) | fields)


def debit(state, **fields):
    made = payment(state, **fields)
    made.method = PaymentMethodFactory(customer=made.customer, bank=True)
    made.mandate = Mandate.objects.create(
        merchant=made.merchant,
        customer=made.customer,
        method=made.method,
        reference="MAN-1234-5678",
        text="I authorize one debit.\n\nI can revoke this.",
        version="1",
        amount=made.amount,
        currency="USD",
        accepted_at=NOW,
    )
    made.save()
    return made


def test_receipt_names_payer_payee_method_and_invoices(snapshot):
    pdf = receipt_pdf(payment())

    assert text_of(pdf) == snapshot
    assert is_tagged(pdf)


def test_debit_that_has_not_cleared_is_not_called_paid(snapshot):
    shown = text_of(receipt_pdf(debit("pending", settled_at=None, expected_on=TODAY + timedelta(days=4))))

    assert shown == snapshot
    assert "Submitted, not cleared yet" in shown


@pytest.mark.parametrize("state", [each for each in PaymentState if each != PaymentState.SUCCEEDED])
def test_only_money_that_arrived_is_paid(state):
    shown = text_of(receipt_pdf(payment(state)))

    without = shown.replace("Returned, not paid", "")
    assert not any(word in without for word in ("Paid", "paid", "Receipt"))


def test_returned_debit_says_why_and_that_the_invoices_are_owed_again():
    shown = " ".join(text_of(receipt_pdf(debit("returned"))).split())

    assert "sent this payment back because there was not enough money in the account (R01)" in shown
    assert "The invoices are owed again." in shown
    assert "MAN-1234-5678" in shown


def test_what_no_invoice_took_is_shown():
    shown = text_of(receipt_pdf(payment(amount=15_000)))

    assert "Not applied to an invoice" in shown
    assert "$30.00" in shown


def test_receipt_speaks_the_readers_language(snapshot):
    with speaking("es"):
        pdf = receipt_pdf(debit("returned"))

    assert language_of(pdf) == "es"
    assert text_of(pdf) == snapshot


def files_of_mail(kind, made):
    mail = make_mail(made.customer, kind=kind, about_id=made.id)
    draft = composer_of(kind)([mail], NOW)[mail.id]
    return (draft() if callable(draft) else draft).attachments


def test_receipt_goes_with_its_mail_under_its_reference():
    (file,) = files_of_mail("receipt", payment())

    assert (file.file_name, file.content_type) == ("Receipt PAY-7K2M-9QXD-4T.pdf", "application/pdf")
    assert "INV-7" in text_of(file.content)


def test_other_mails_bring_no_receipt():
    assert list(files_of_mail("payment_submitted", debit("pending", settled_at=None))) == []
