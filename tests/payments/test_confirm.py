"""Confirmations: one open at a time, sent to the address on file, paid once, five tries for the code."""

from datetime import timedelta

import pytest

from payorcrm.core.signing import NotGenuine
from payorcrm.ledger.check import check_books
from payorcrm.mail.models import Mail
from payorcrm.payment_methods.mandate import Acceptance
from payorcrm.payments.collect import collect
from payorcrm.payments.confirm import (
    ConfirmationExpired,
    MethodGone,
    WrongCode,
    check_code,
    confirmed_lines,
    open_confirmation,
    pay_confirmation,
    payment_of,
    request_confirmation,
)
from payorcrm.payments.models import Confirmation, PaymentState
from payorcrm.payments.reserve import AmountChanged, NothingLeftToPay
from payorcrm.payments.secrets import secrets_of
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, request_for, usd
from tests.payments.kit import ACCEPTANCE, amounts_collected, order_for


@pytest.fixture
def card(saved):
    return saved()


@pytest.fixture
def request_of_two(card):
    return request_for(
        InvoiceFactory(customer=card.customer, amount=usd("70.00")),
        InvoiceFactory(customer=card.customer, amount=usd("50.00")),
    )


def test_confirmation_freezes_what_is_payable_and_is_mailed_to_the_address_on_file(card, request_of_two):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation

    mail = Mail.objects.get()
    assert confirmation.amount_money() == usd("120.00")
    assert confirmation.expires_at == NOW + timedelta(hours=24)
    assert (mail.kind, mail.to_address) == ("confirmation", card.customer.contacts.get().email)
    assert amounts_collected() == []


def test_pressing_again_within_a_minute_sends_nothing_and_later_sends_the_same_one_again(card, request_of_two):
    first = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation
    at_once = request_confirmation(request=request_of_two, method=card, now=NOW + timedelta(seconds=59)).confirmation
    sent_at_once = Mail.objects.count()
    later = request_confirmation(request=request_of_two, method=card, now=NOW + timedelta(seconds=61)).confirmation

    assert first.id == at_once.id == later.id
    assert sent_at_once == 1
    assert Mail.objects.count() == 2


def test_a_changed_balance_replaces_the_open_confirmation(card, request_of_two):
    first = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation
    paid = request_of_two.lines.first().invoice
    collect(order=order_for(card, paid), now=NOW)

    second = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation

    first.refresh_from_db()
    assert second.id != first.id
    assert second.amount_money() == usd("120.00") - paid.total_money()
    assert first.closed_at is not None


def test_removed_method_cannot_be_asked_for(card, request_of_two):
    card.removed_at = NOW
    card.save()

    with pytest.raises(MethodGone):
        request_confirmation(request=request_of_two, method=card, now=NOW)


def test_method_of_another_customer_cannot_be_asked_for(merchant, saved, request_of_two):
    stranger = saved(customer=CustomerFactory(merchant=merchant))

    with pytest.raises(MethodGone):
        request_confirmation(request=request_of_two, method=stranger, now=NOW)


def test_nothing_left_asks_for_nothing(card):
    invoice = InvoiceFactory(customer=card.customer)
    request = request_for(invoice)
    collect(order=order_for(card, invoice), now=NOW)

    with pytest.raises(NothingLeftToPay):
        request_confirmation(request=request, method=card, now=NOW)


def test_token_opens_the_confirmation_and_is_not_in_the_database(card, request_of_two):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation
    token = secrets_of(confirmation).token

    opened = open_confirmation(token=token, now=NOW)

    assert opened.id == confirmation.id
    assert token.encode() not in bytes(confirmation.token_digest)
    with pytest.raises(NotGenuine):
        open_confirmation(token=token[:-1] + ("0" if token[-1] != "0" else "1"), now=NOW)


def test_confirmation_ends_after_the_merchants_hours(card, request_of_two):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation

    with pytest.raises(ConfirmationExpired):
        open_confirmation(token=secrets_of(confirmation).token, now=NOW + timedelta(hours=24))


def test_paying_a_confirmation_twice_collects_once(card, request_of_two):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation

    first = pay_confirmation(confirmation=confirmation, agreed=usd("120.00"), acceptance=ACCEPTANCE)
    second = pay_confirmation(confirmation=confirmation, agreed=usd("120.00"), acceptance=ACCEPTANCE)

    assert first.id == second.id
    confirmation.refresh_from_db()
    assert payment_of(confirmation) == first
    assert amounts_collected() == [usd("120.00")]
    assert check_books() == []


def test_only_what_is_left_is_paid_after_the_payer_saw_it(card, request_of_two):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation
    paid = request_of_two.lines.get(invoice__total=7000).invoice
    collect(order=order_for(card, paid), now=NOW)

    with pytest.raises(AmountChanged):
        pay_confirmation(confirmation=confirmation, agreed=usd("120.00"), acceptance=ACCEPTANCE)
    left = {line.invoice.total_money(): still for line, still in confirmed_lines(confirmation)}
    payment = pay_confirmation(confirmation=confirmation, agreed=usd("50.00"), acceptance=ACCEPTANCE)

    assert left == {usd("70.00"): usd("0.00"), usd("50.00"): usd("50.00")}
    assert payment.amount_money() == usd("50.00")
    assert amounts_collected() == [usd("70.00"), usd("50.00")]


def test_a_raised_balance_does_not_raise_what_was_confirmed(card, request_of_two):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation
    invoice = request_of_two.lines.get(invoice__total=5000).invoice
    type(invoice).objects.filter(id=invoice.id).update(total=9000, balance=9000)

    payment = pay_confirmation(confirmation=confirmation, agreed=usd("120.00"), acceptance=ACCEPTANCE)

    assert payment.amount_money() == usd("120.00")


def test_confirming_a_bank_account_records_its_mandate(merchant, saved):
    account = saved("000123455456", bank=True)
    request = request_for(InvoiceFactory(customer=account.customer, number="INV-7"))
    confirmation = request_confirmation(request=request, method=account, now=NOW).confirmation
    acceptance = Acceptance(at=NOW, address="192.0.2.7", user_agent="A phone")

    payment = pay_confirmation(confirmation=confirmation, agreed=usd("120.00"), acceptance=acceptance)

    assert payment.state == PaymentState.PENDING
    assert "$120.00" in payment.mandate.text
    assert "INV-7" in payment.mandate.text
    assert "5456" in payment.mandate.text
    assert (payment.mandate.address, payment.mandate.user_agent) == ("192.0.2.7", "A phone")


def test_code_has_five_tries_and_the_right_one_costs_none(card, request_of_two):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation
    code = secrets_of(confirmation).code
    wrong = "000000" if code != "000000" else "111111"

    check_code(confirmation=confirmation, code=f"{code[:3]} {code[3:]}")
    left = []
    for _ in range(6):
        with pytest.raises(WrongCode) as refused:
            check_code(confirmation=confirmation, code=wrong)
        left.append(refused.value.tries_left)

    assert left == [4, 3, 2, 1, 0, 0]
    with pytest.raises(WrongCode):
        check_code(confirmation=confirmation, code=code)


def test_asking_again_after_five_wrong_tries_makes_a_new_confirmation(card, request_of_two):
    first = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation
    Confirmation.objects.filter(id=first.id).update(code_attempt_count=5)

    second = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation

    assert second.id != first.id


def test_secrets_survive_a_new_link_key(card, request_of_two, settings):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation
    before = secrets_of(confirmation)
    settings.LINK_KEYS = ["a newer key", *settings.LINK_KEYS]

    assert secrets_of(confirmation) == before


@pytest.mark.parametrize("typed", ["²²²²²²", "٠٠٠٠٠٠", "", "💳💳💳💳💳💳", "1" * 20])
def test_nonsense_instead_of_a_code_is_a_wrong_code(card, request_of_two, typed):
    confirmation = request_confirmation(request=request_of_two, method=card, now=NOW).confirmation

    with pytest.raises(WrongCode):
        check_code(confirmation=confirmation, code=typed)
