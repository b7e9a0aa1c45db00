"""Choosing what to pay in the portal: one currency, own invoices, whole ones or parts."""

import re

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payments.models import PaymentRequest
from payorcrm.payments.request_payment import request_all_unpaid
from payorcrm.payments.reserve import reserve
from payorcrm.portal.views.checkout import MOST_PARTS
from tests.factories.models import (
    NOW,
    CustomerFactory,
    InvoiceFactory,
    PaymentMethodFactory,
    PortalAccessFactory,
)
from tests.payments.kit import order_for
from tests.portal.checkout_kit import ACCOUNT, access, card, choose, invoices, press, text

__all__ = ["access", "card", "invoices"]

WRITTEN_PARTS = [
    ("", "please write an amount"),
    ("much", "not an amount"),
    ("0", "more than zero"),
    ("70.01", "at most"),
]


def test_euros_are_paid_by_card_only(client, access, saved):
    saved(ACCOUNT, customer=access.customer, bank=True)
    invoice = InvoiceFactory(customer=access.customer, amount=Money(5_000, "EUR"))

    shown = text(client.get(choose(client, invoice)))

    assert "New card" in shown
    assert "bank account" not in shown.lower()


def test_two_currencies_are_explained_and_offered_one_by_one(client, access, invoices):
    euros = InvoiceFactory(customer=access.customer, amount=Money(5_000, "EUR"))
    chosen = {"invoice": [str(one.id) for one in [*invoices, euros]]}

    page = client.post(reverse("portal:basket"), chosen)
    answer = client.post(reverse("portal:basket"), chosen | {"currency": "EUR"}, follow=True)
    everything = client.post(reverse("portal:basket"), {"all": "unpaid", "currency": "USD"}, follow=True)

    assert "One currency at a time" in text(page)
    assert "Pay $120.00 (USD) for 2 invoices" in text(page)
    assert "Pay €50.00 (EUR) for 1 invoice" in text(page)
    assert "€50.00" in text(answer)
    assert "$120.00" in text(everything)


@pytest.mark.parametrize("currency", ["\0", "U\0D", "usd", "€", "US Dollars"])
def test_a_currency_that_is_none_narrows_nothing(client, access, invoices, currency):
    answer = client.post(reverse("portal:basket"), {"all": "unpaid", "currency": currency}, follow=True)

    assert "$120.00" in text(answer)


def test_nothing_chosen_goes_back_with_a_word(client, access):
    answer = client.post(reverse("portal:basket"), follow=True)

    assert answer.redirect_chain[0][0] == reverse("portal:invoices")
    assert "Please choose at least one invoice" in text(answer)


def test_settled_invoices_of_a_selection_are_left_out_and_it_is_said(client, access, invoices):
    paid = InvoiceFactory(customer=access.customer, balance=0, status="paid")

    answer = client.get(choose(client, *invoices, paid))

    assert "1 invoice is left out" in text(answer)
    assert "for 2 invoices of" in text(answer)


@pytest.fixture
def parts(access):
    type(access.merchant).objects.update(allows_part_payments=True)


def pay_part(client, address, **amounts):
    form = {str(Invoice.objects.get(number=number.replace("_", "-")).id): text for number, text in amounts.items()}
    return client.post(f"{address}part/", form, follow=True)


def test_part_of_an_invoice_is_paid_and_the_rest_stays_open(client, access, invoices, card, parts):
    address = choose(client, *invoices)

    shown = pay_part(client, address, INV_70="20.00", INV_50="50.00")
    answer = press(client, shown.request["PATH_INFO"], card.id)

    assert "part of $70.00" in text(shown)
    assert "Pay $70.00 with card •••• 0027" in text(shown)
    assert "Paid: $70.00" in text(answer)
    assert list(Invoice.objects.order_by("number").values_list("balance", "status")) == [(0, "paid"), (5_000, "open")]
    assert check_books() == []


@pytest.mark.parametrize(("written", "complaint"), WRITTEN_PARTS)
def test_part_that_cannot_be_paid_is_refused_by_name(client, access, invoices, parts, written, complaint):
    address = choose(client, *invoices)

    answer = pay_part(client, address, INV_70=written, INV_50="50")

    assert answer.status_code == 422
    assert re.search(rf"Invoice INV-70:[^.]*{complaint}", text(answer))
    assert PaymentRequest.objects.count() == 1


def test_parts_are_offered_only_where_the_merchant_allows_them(client, access, invoices):
    address = choose(client, *invoices)

    refused = pay_part(client, address, INV_70="20.00", INV_50="50.00")

    assert "Pay a part" not in text(client.get(address))
    assert refused.status_code == 422
    assert PaymentRequest.objects.count() == 1


def test_parts_of_more_invoices_than_can_be_written_are_refused(client, access, invoices, parts):
    many = [InvoiceFactory(customer=access.customer) for _ in range(MOST_PARTS - 1)]
    address = choose(client, *invoices, *many)

    refused = pay_part(client, address, INV_70="20.00", INV_50="50.00")

    assert refused.status_code == 422
    assert "Nothing was charged: parts can be paid of up to 50 invoices at a time." in text(refused)
    assert PaymentRequest.objects.count() == 1


def test_second_part_warns_of_the_payment_under_way_and_keeps_to_the_balance(client, access, invoices, saved, parts):
    account = saved(ACCOUNT, customer=access.customer, bank=True)
    first, second = choose(client, invoices[0]), choose(client, invoices[0])
    part = pay_part(client, first, INV_70="50.00").request["PATH_INFO"]
    press(client, part, account.id, accept="yes")

    shown = client.get(second)
    too_much = pay_part(client, second, INV_70="30.00")
    press(client, second, account.id, accept="yes")

    assert "A payment of $50.00 for invoice INV-70 is under way." in text(shown)
    assert "at most $20.00 can be paid" in text(too_much)
    assert Invoice.objects.get(number="INV-70").in_flight == 7_000
    assert check_books() == []


@pytest.mark.parametrize("same_merchant", [True, False])
def test_what_belongs_to_another_customer_is_not_found(client, access, invoices, same_merchant):
    stranger = CustomerFactory(merchant=access.merchant) if same_merchant else CustomerFactory()
    invoice = InvoiceFactory(customer=stranger)
    theirs = request_all_unpaid(customer=stranger, user=PortalAccessFactory(customer=stranger).user, now=NOW)
    account = PaymentMethodFactory(customer=stranger, bank=True, saved_at=None, created_at=now())
    payment = reserve(order=order_for(account, InvoiceFactory(customer=stranger)), now=NOW).payment
    address = reverse("portal:checkout", args=[theirs.id])
    mine = choose(client, *invoices)

    answers = [
        client.post(reverse("portal:basket"), {"invoice": [str(invoices[0].id), str(invoice.id)]}),
        client.post(reverse("portal:basket"), {"invoice": ["not an id"]}),
        client.get(reverse("portal:payment_result", args=[payment.id])),
        client.get(address),
        client.post(f"{address}?with=card", {"checkout": "x"}),
        client.get(f"{address}invoices/"),
        client.post(f"{address}part/"),
        client.get(f"{address}review/{account.id}/"),
        client.get(f"{mine}review/{account.id}/"),
        client.post(f"{mine}review/{account.id}/"),
        client.get(f"{mine}verify/{account.id}/"),
        client.post(f"{mine}verify/{account.id}/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)


def test_names_are_written_as_they_are_and_never_run(client, access):
    access.customer.company_name = 'O\'Brien & <b>Söhne</b> 🦀 "AG"'
    access.customer.save()
    invoice = InvoiceFactory(customer=access.customer, number="<script>\"'🦀")

    page = client.get(choose(client, invoice)).content.decode()

    assert "&lt;b&gt;Söhne&lt;/b&gt; 🦀" in page
    assert "&lt;script&gt;&quot;&#x27;🦀" in page
