"""Collecting through the running sandbox processor."""

import pytest

from payorcrm.ledger.check import check_books
from payorcrm.mail.models import Mail
from payorcrm.payments.collect import collect
from payorcrm.payments.models import PaymentState
from payorcrm.payments.reserve import AmountChanged, NothingLeftToPay
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, usd
from tests.payments.kit import amounts_collected, order_for


def test_card_payment_pays_its_invoices_and_balances_the_books(merchant, saved):
    card = saved()
    invoices = [InvoiceFactory(customer=card.customer, amount=usd(amount)) for amount in ("70.00", "50.00")]

    payment = collect(order=order_for(card, *invoices), now=NOW)

    assert payment.state == PaymentState.SUCCEEDED
    assert amounts_collected() == [usd("120.00")]
    for invoice in invoices:
        invoice.refresh_from_db()
    assert [(invoice.status, invoice.balance, invoice.in_flight) for invoice in invoices] == [("paid", 0, 0)] * 2
    assert check_books() == []
    assert list(Mail.objects.values_list("kind", flat=True)) == ["receipt"]


def test_a_name_that_is_too_long_for_a_mail_does_not_undo_a_charge(merchant, saved):
    named = {"contact__first_name": "J" * 100, "contact__last_name": "M" * 100}
    card = saved(customer=CustomerFactory(merchant=merchant, **named))

    payment = collect(order=order_for(card, InvoiceFactory(customer=card.customer)), now=NOW)

    assert payment.state == PaymentState.SUCCEEDED
    assert Mail.objects.get().to_name == "J" * 100 + " " + "M" * 99


def test_same_order_twice_returns_the_first_payment(merchant, saved):
    card = saved()
    invoice = InvoiceFactory(customer=card.customer)
    order = order_for(card, invoice)

    first = collect(order=order, now=NOW)
    second = collect(order=order, now=NOW)

    assert first.id == second.id
    assert amounts_collected() == [usd("120.00")]


def test_second_order_for_paid_invoices_charges_nothing(merchant, saved):
    card = saved()
    invoice = InvoiceFactory(customer=card.customer)
    first, second = order_for(card, invoice), order_for(card, invoice)
    collect(order=first, now=NOW)

    with pytest.raises(NothingLeftToPay):
        collect(order=second, now=NOW)

    assert amounts_collected() == [usd("120.00")]


def test_order_whose_invoices_were_partly_paid_is_refused_with_the_new_amount(merchant, saved):
    card = saved()
    cheap = InvoiceFactory(customer=card.customer, amount=usd("20.00"))
    dear = InvoiceFactory(customer=card.customer, amount=usd("100.00"))
    both = order_for(card, cheap, dear)
    collect(order=order_for(card, dear), now=NOW)

    with pytest.raises(AmountChanged) as refused:
        collect(order=both, now=NOW)

    assert refused.value.now_payable == usd("20.00")
    assert amounts_collected() == [usd("100.00")]


def test_declined_card_leaves_the_invoice_payable_and_says_why(merchant, saved):
    card = saved("4000000000009995")
    invoice = InvoiceFactory(customer=card.customer)

    payment = collect(order=order_for(card, invoice), now=NOW)

    invoice.refresh_from_db()
    assert (payment.state, payment.decline_code) == (PaymentState.DECLINED, "insufficient_funds")
    assert invoice.payable_money() == usd("120.00")
    assert check_books() == []


def test_bank_debit_stays_pending_and_reserves_the_invoice(merchant, saved):
    account = saved("000123455456", bank=True)
    invoice = InvoiceFactory(customer=account.customer)

    payment = collect(order=order_for(account, invoice), now=NOW)

    invoice.refresh_from_db()
    assert payment.state == PaymentState.PENDING
    assert payment.expected_on is not None
    assert payment.mandate.text == "I authorize this."
    assert invoice.is_processing()
    assert invoice.payable_money() == usd("0.00")
    assert check_books() == []
    assert list(Mail.objects.values_list("kind", flat=True)) == ["payment_submitted"]


def test_charge_whose_answer_is_lost_stays_checking_and_keeps_the_invoice(merchant, saved):
    card = saved("4100000000081001")
    invoice = InvoiceFactory(customer=card.customer)

    payment = collect(order=order_for(card, invoice), now=NOW)

    invoice.refresh_from_db()
    assert payment.state == PaymentState.SUBMITTING
    assert invoice.is_processing()


def test_card_that_needs_a_second_step_waits_for_its_payer(merchant, saved):
    card = saved("4000002760003184")
    invoice = InvoiceFactory(customer=card.customer)

    payment = collect(order=order_for(card, invoice), now=NOW)

    assert payment.needs_action()
    assert payment.action_url.startswith("http")
