"""The mails of payments: to whom they go, and in whose language."""

from dataclasses import replace
from typing import Any

import pytest

from payorcrm.core.models import User
from payorcrm.customers.direct_mails import direct_mails
from payorcrm.customers.models import Customer, Topic
from payorcrm.gateways.base import ChargeResult, Outcome
from payorcrm.mail.drafts import Draft, composer_of
from payorcrm.mail.models import Mail
from payorcrm.payments.fresh_link import mail_fresh_link
from payorcrm.payments.models import Payment
from payorcrm.payments.reserve import reserve
from payorcrm.payments.settle import settle
from tests.factories.models import (
    NOW,
    InvoiceFactory,
    PaymentMethodFactory,
    StaffFactory,
    UserFactory,
    request_for,
    usd,
)
from tests.payments.kit import order_for

SUCCEEDED = ChargeResult(outcome=Outcome.SUCCEEDED, reference="ch_1")
PENDING = ChargeResult(outcome=Outcome.PENDING, reference="ch_1")
RETURNED = ChargeResult(outcome=Outcome.RETURNED, reference="ch_1", return_code="R01")

pytestmark = pytest.mark.django_db


def paid(*results: ChargeResult, language: str = "", payer: User | None = None, **wishes: Any) -> Payment:
    """Pay 1,150 dollars by bank account, for a customer who has wishes about mails of payments."""
    invoice = InvoiceFactory(amount=usd("1150.00"), customer__contact__email="jo@acme.example")
    customer = invoice.customer
    Customer.objects.filter(id=customer.id).update(language=language)
    if wishes:
        defaults: dict[str, Any] = {"is_wanted": True, "to": [], "cc": [], "changed_by": None, "now": NOW}
        direct_mails(customer=customer, topic=Topic.PAYMENTS, **(defaults | wishes))
    method = PaymentMethodFactory(customer=customer, bank=True)
    order = replace(order_for(method, invoice), made_by_id=payer.id if payer else None)
    payment = reserve(order=order, now=NOW).payment
    for result in results:
        payment = settle(payment=payment, result=result, now=NOW)
    return payment


def draft_of(kind: str) -> Draft:
    compose = composer_of(kind)
    assert compose
    (draft,) = compose(list(Mail.objects.filter(kind=kind)), NOW).values()
    assert isinstance(draft, Draft)
    return draft


def test_a_receipt_goes_where_the_customer_wants_it() -> None:
    paid(SUCCEEDED, to=["ann@acme.example", "bo@acme.example"], cc=["cfo@acme.example"])

    receipt = Mail.objects.get(kind="receipt")
    assert (receipt.to_address, receipt.also_to, receipt.cc) == (
        "ann@acme.example",
        ["bo@acme.example"],
        ["cfo@acme.example"],
    )


def test_a_receipt_that_nobody_wants_is_not_sent() -> None:
    paid(SUCCEEDED, is_wanted=False)

    assert not Mail.objects.filter(kind="receipt").exists()


def addresses_of(kind: str) -> list[list[str]]:
    return [[mail.to_address, *mail.also_to, *mail.cc] for mail in Mail.objects.filter(kind=kind).order_by("id")]


def reasons_of(kind: str) -> list[str]:
    compose = composer_of(kind)
    assert compose
    mails = list(Mail.objects.filter(kind=kind).order_by("id"))
    drafts = compose(mails, NOW)
    return [draft.reason for mail in mails if isinstance(draft := drafts[mail.id], Draft)]


@pytest.mark.parametrize(("result", "kind"), [(PENDING, "payment_submitted"), (SUCCEEDED, "receipt")])
def test_whoever_pays_in_the_portal_gets_the_proof_beside_those_the_customer_chose(
    result: ChargeResult, kind: str
) -> None:
    payer = UserFactory(email="pat@acme.example", name="Pat")
    payment = paid(result, payer=payer, to=["ann@acme.example"], cc=["cfo@acme.example"])

    assert addresses_of(kind) == [["ann@acme.example", "cfo@acme.example"], ["pat@acme.example"]]
    others, own = reasons_of(kind)
    assert f"because a payment was made for {payment.customer.company_name}." in others
    assert "because you made this payment." in own


def test_payer_whom_the_customer_chose_gets_the_proof_once() -> None:
    paid(SUCCEEDED, payer=UserFactory(email="Pat@acme.example"), to=["pat@acme.example"])

    assert addresses_of("receipt") == [["pat@acme.example"]]
    assert "because you made this payment." in reasons_of("receipt")[0]


def test_payer_gets_the_proof_though_the_customer_wants_no_mail() -> None:
    paid(PENDING, SUCCEEDED, payer=UserFactory(email="pat@acme.example"), is_wanted=False)

    assert addresses_of("payment_submitted") == addresses_of("receipt") == [["pat@acme.example"]]


@pytest.mark.parametrize("wishes", [{"is_wanted": False}, {"to": ["ann@acme.example"]}])
def test_copy_of_an_authorization_from_a_mail_reaches_the_address_on_file(wishes: dict[str, Any]) -> None:
    paid(PENDING, **wishes)

    assert addresses_of("payment_submitted")[-1] == ["jo@acme.example"]
    assert "because you made this payment." in reasons_of("payment_submitted")[-1]


def test_a_fresh_link_goes_to_the_address_on_file_alone() -> None:
    payment = paid(SUCCEEDED, to=["ann@acme.example"], cc=["cfo@acme.example"])
    request = request_for(InvoiceFactory(customer=payment.customer))

    mail_fresh_link(request=request, now=NOW)

    link = Mail.objects.get(kind="fresh_link")
    assert (link.to_address, link.also_to, link.cc) == ("jo@acme.example", [], [])


def test_mails_are_in_the_language_of_the_customer_and_those_to_staff_in_english() -> None:
    payment = paid(PENDING, SUCCEEDED, language="es")
    StaffFactory(merchant=payment.merchant)
    settle(payment=payment, result=RETURNED, now=NOW)

    theirs, ours = draft_of("payment_returned"), draft_of("payment_returned_to_merchant")

    assert theirs.language == "es"
    assert "de noviembre de 2026" in theirs.text
    assert "$1,150.00" in theirs.text
    assert ours.language == "en"
    assert "November 20, 2026 at" in ours.text
    assert ours.subject.startswith("Returned: $1,150.00 from ")


def test_the_merchants_language_is_that_of_customers_who_chose_none() -> None:
    payment = paid(SUCCEEDED)
    payment.merchant.language = "es"
    payment.merchant.save()

    assert draft_of("receipt").language == "es"


def test_a_receipt_brings_its_pdf() -> None:
    paid(SUCCEEDED)

    (file,) = draft_of("receipt").attachments

    assert file.content_type == "application/pdf"
    assert file.content.startswith(b"%PDF")


def test_a_receipt_adds_up_where_more_came_than_its_invoices_need() -> None:
    payment = paid(SUCCEEDED)
    Payment.objects.filter(id=payment.id).update(amount=1_300_00)

    draft = draft_of("receipt")

    assert "Not applied to an invoice: $150.00\n  Total: $1,300.00" in draft.text
    assert all(words in draft.html for words in ("Not applied to an invoice", "$150.00", "$1,300.00"))
    assert draft.preheader == "Thank you. Your payment of $1,300.00 to " + payment.merchant.name + " has arrived."
