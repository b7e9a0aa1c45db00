"""The pages that give money back and call payments off."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from payorcrm.gateways.sandbox.provision import fail_refund
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import GatewayAccount
from payorcrm.payments.collect import collect
from payorcrm.payments.models import Payment, PaymentState, Refund
from payorcrm.payments.resolve import resolve, resolve_refund
from payorcrm.staff.models import AuditEntry
from tests.backoffice.rows import client_of
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, usd
from tests.payments.kit import order_for
from tests.payments.refund_kit import settle_debits

pytestmark = pytest.mark.django_db
CARD = "4000000050000027"


def pay(merchant, saved, *, number: str = CARD, bank: bool = False) -> Payment:
    customer = CustomerFactory(merchant=merchant)
    invoice = InvoiceFactory(customer=customer, number="INV-7", amount=usd("120.00"))
    return collect(order=order_for(saved(number, customer=customer, bank=bank), invoice), now=NOW)


def place(name: str, payment: Payment) -> str:
    return reverse(f"backoffice:{name}", args=[payment.merchant.slug, payment.id])


def filled_in(page: str, **typed: str) -> dict[str, str]:
    hidden = dict(re.findall(r'<input type="hidden" name="(key|seen)" value="([^"]*)"', page))
    return {"amount": "50", "reason": "Returned goods", "then": "owed", "invoice": ""} | hidden | typed


def test_bookkeeper_gives_a_part_back_once_however_often_she_presses(merchant, saved):
    payment, client = pay(merchant, saved), client_of(merchant)
    form = filled_in(client.get(place("payment_refund", payment)).text)

    answers = [client.post(place("payment_refund", payment), form) for _ in range(3)]

    page = client.get(place("payment", payment)).text
    assert {answer.status_code for answer in answers} == {302}
    assert Refund.objects.get().amount_money() == usd("50.00")
    for words in ("Partly refunded", "Returned goods", "Refund of $50.00 asked for by", "Taken from invoice INV-7"):
        assert words in page
    assert check_books() == []


def test_what_a_refund_does_to_the_invoices_is_said_as_far_as_it_has_happened(merchant, saved):
    payment, client = pay(merchant, saved, number="000123456789", bank=True), client_of(merchant)
    settle_debits(payment)
    resolve(payment_id=payment.id, now=NOW)
    client.post(place("payment_refund", payment), filled_in(client.get(place("payment_refund", payment)).text))
    refund = Refund.objects.get()
    asked = client.get(place("payment", payment)).text
    fail_refund(GatewayAccount.objects.get(merchant=merchant).credentials(), refund.gateway_reference)

    resolve_refund(refund_id=refund.id, now=NOW)

    page = client.get(place("payment", payment)).text
    assert "Will be owed again, asked for by" in asked
    assert "Nothing was given back, asked for by" in page
    assert "owed again" not in page.lower()


def test_audit_log_says_what_a_refund_changed_in_money(merchant, saved):
    payment, client = pay(merchant, saved), client_of(merchant)
    form = filled_in(client.get(place("payment_refund", payment)).text)

    client.post(place("payment_refund", payment), form)

    asked, made = AuditEntry.objects.filter(merchant=merchant).order_by("happened_at")
    reference = Refund.objects.get().reference
    assert (asked.says, asked.changes) == ("Asked for a refund", [["Being given back", "$0.00", "$50.00"]])
    assert made.says == "A refund was made"
    assert made.changes == [
        [f"Refund {reference}", "Checking", "Given back"],
        ["Given back", "$0.00", "$50.00"],
        ["Invoice INV-7, from this payment", "$120.00", "$70.00"],
        ["Invoice INV-7, owed", "$0.00", "$50.00"],
    ]


def test_second_tab_is_told_and_keeps_what_was_typed(merchant, saved):
    payment, client = pay(merchant, saved), client_of(merchant)
    first, second = (filled_in(client.get(place("payment_refund", payment)).text) for _ in range(2))
    client.post(place("payment_refund", payment), first)

    answer = client.post(place("payment_refund", payment), second)

    assert "another refund of this payment was made meanwhile" in answer.text
    assert 'value="Returned goods"' in answer.text
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"amount": "120.01"}, "at most $120.00 can be refunded"),
        ({"amount": "much"}, "Write an amount, such as"),
        ({"amount": "-5"}, "Write an amount above nothing"),
        ({"reason": ""}, "This field is required"),
        ({"then": ""}, "This field is required"),
    ],
)
def test_bad_input_names_the_field_and_gives_nothing_back(merchant, saved, typed, words):
    payment, client = pay(merchant, saved), client_of(merchant)
    form = filled_in(client.get(place("payment_refund", payment)).text, **typed)

    answer = client.post(place("payment_refund", payment), form)

    assert words in answer.text
    assert not Refund.objects.exists()


def test_payment_that_has_not_cleared_offers_to_cancel_and_says_from_when_it_can_be_refunded(merchant, saved):
    payment, client = pay(merchant, saved, number="000123456789", bank=True), client_of(merchant)

    page = client.get(place("payment", payment)).text
    refusal = client.get(place("payment_refund", payment)).text
    client.post(place("payment_cancel", payment), {"reason": "Wrong account"})

    payment.refresh_from_db()
    assert "It can be refunded once it has cleared, expected on" in page
    assert "It can be canceled instead" in page
    assert ">Refund<" not in page
    assert "Cancel the payment instead" in refusal
    assert payment.state == PaymentState.CANCELED
    entries = AuditEntry.objects.filter(merchant=merchant).order_by("id").values_list("says", "changes")
    assert list(entries) == [
        ("Asked to cancel a payment", []),
        ("Canceled a payment", [["State", "Processing", "Canceled"]]),
    ]
    assert "asked to cancel it: Wrong account" in client.get(place("payment", payment)).text
    assert check_books() == []


def test_page_of_a_payment_shows_proof_books_and_events(merchant, saved):
    payment = pay(merchant, saved, number="000123456789", bank=True)

    page = client_of(merchant).get(place("payment", payment)).text

    assert payment.mandate.reference in page
    assert "127.0.0.1" in page
    assert "I authorize this." in page
    assert "Mails about it" in page


def test_refunded_amount_is_no_longer_collected_on_the_dashboard(merchant, saved):
    from payorcrm.payments.collected import takings_of

    payment, client = pay(merchant, saved), client_of(merchant)
    client.post(place("payment_refund", payment), filled_in(client.get(place("payment_refund", payment)).text))
    month = (NOW - timedelta(days=1), NOW + timedelta(days=1))

    taken, _ = takings_of(merchant.id, "USD", now=month, before=(NOW - timedelta(days=9), NOW - timedelta(days=8)))

    assert taken.amount == usd("70.00")
