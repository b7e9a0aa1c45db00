"""Giving money back: once, never too much, and with books that the facts prove."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from payorcrm.core.money import Money
from payorcrm.gateways.base import Outcome, RefundRequest, RefundResult
from payorcrm.gateways.sandbox.provision import fail_refund, return_debit
from payorcrm.invoices.models import InvoiceEvent
from payorcrm.ledger.balances import balance_of
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Account
from payorcrm.mail.drafts import composer_of
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import GatewayAccount
from payorcrm.merchants.queries import gateway_of
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.apply_event import apply_event, fetch_missed_events
from payorcrm.payments.collect import collect
from payorcrm.payments.connect_gateway import GatewayInUse, disconnect_gateway
from payorcrm.payments.models import (
    REFUND_TRANSITIONS,
    Payment,
    PaymentState,
    ReceivedEvent,
    Refund,
    RefundState,
)
from payorcrm.payments.refund import (
    CannotRefund,
    RefundedMeanwhile,
    RefundOrder,
    RefundTooLarge,
    refund,
    reserve_refund,
)
from payorcrm.payments.resolve import StillUnknown, resolve, resolve_refund, unanswered_refunds
from payorcrm.payments.settle_refund import settle_refund
from payorcrm.ui.badges import LOOKS
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, StaffFactory, usd
from tests.payments.kit import order_for
from tests.payments.refund_kit import given_back, order, paid, settle_debits

pytestmark = pytest.mark.django_db

BANK = "000123456789"


def balances_of(payment: Payment) -> list[Money]:
    invoices = payment.customer.invoices.order_by("due_on")
    return [invoice.balance_money() for invoice in invoices]


def test_whole_payment_is_given_back_and_its_invoices_are_owed_again(saved, merchant):
    payment = paid(saved, merchant, "80.00", "40.00")

    made = refund(payment=payment, order=order("120.00"), now=NOW)

    payment.refresh_from_db()
    assert (made.state, payment.state) == (RefundState.SUCCEEDED, PaymentState.REFUNDED)
    assert balances_of(payment) == [usd("80.00"), usd("40.00")]
    assert balance_of(merchant.id, Account.CLEARING, "USD") == usd("0.00")
    assert check_books() == []


def test_part_is_taken_from_the_invoice_due_last_and_the_payment_stands(saved, merchant):
    payment = paid(saved, merchant, "80.00", "40.00")

    refund(payment=payment, order=order("50.00"), now=NOW)

    payment.refresh_from_db()
    assert (payment.state, payment.standing()) == (PaymentState.SUCCEEDED, "part_refunded")
    assert balances_of(payment) == [usd("10.00"), usd("40.00")]
    assert check_books() == []


def test_refund_for_a_named_invoice_leaves_the_others_paid(saved, merchant):
    payment = paid(saved, merchant, "80.00", "40.00")
    oldest = payment.customer.invoices.order_by("due_on")[0]

    refund(payment=payment, order=order("30.00", invoice_id=oldest.id), now=NOW)

    assert balances_of(payment) == [usd("30.00"), usd("0.00")]
    with pytest.raises(RefundTooLarge) as refused:
        refund(payment=payment, order=order("60.00", invoice_id=oldest.id, seen=3000), now=NOW)
    assert refused.value.left == usd("50.00")


def test_invoice_is_not_refunded_twice_while_the_first_refund_is_on_its_way(saved, merchant):
    payment = paid(saved, merchant, "80.00", "40.00", number=BANK, bank=True)
    oldest = payment.customer.invoices.order_by("due_on")[0]
    refund(payment=payment, order=order("60.00", invoice_id=oldest.id), now=NOW)

    with pytest.raises(RefundTooLarge) as refused:
        refund(payment=payment, order=order("60.00", invoice_id=oldest.id, seen=6000), now=NOW)

    assert refused.value.left == usd("20.00")


def test_credited_refund_leaves_nothing_owed_and_says_so_in_history_and_ledger(saved, merchant):
    payment = paid(saved, merchant, "120.00")

    refund(payment=payment, order=order("50.00", is_owed_again=False), now=NOW)

    assert balances_of(payment) == [usd("0.00")]
    event = InvoiceEvent.objects.get(kind="credited")
    assert (event.amount, "Damaged goods" in event.note) == (5000, True)
    assert balance_of(merchant.id, Account.CREDITED, "USD") == usd("50.00")
    assert balance_of(merchant.id, Account.CLEARING, "USD") == usd("70.00")
    assert check_books() == []


def test_second_click_returns_the_first_refund(saved, merchant):
    payment, asked = paid(saved, merchant, "120.00"), order("50.00")

    first, second = (refund(payment=payment, order=asked, now=NOW) for _ in range(2))

    assert first == second
    assert given_back(payment) == usd("50.00")


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_give_back_once(saved, merchant):
    payment, asked = paid(saved, merchant, "120.00"), order("50.00")
    others = [replace(asked, key=uuid4()) for _ in range(4)]

    def press(each: RefundOrder) -> object:
        try:
            return refund(payment=payment, order=each, now=NOW).id
        except RefundedMeanwhile as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as people:
        outcomes = list(people.map(press, [asked] * 4 + others))

    assert Refund.objects.count() == 1
    assert set(outcomes) <= {Refund.objects.get().id, "refunded_meanwhile"}
    assert given_back(payment) == usd("50.00")
    assert check_books() == []


def test_second_tab_is_told_that_somebody_refunded_meanwhile(saved, merchant):
    payment = paid(saved, merchant, "120.00")
    refund(payment=payment, order=order("50.00"), now=NOW)

    with pytest.raises(RefundedMeanwhile):
        refund(payment=payment, order=order("50.00"), now=NOW)

    assert given_back(payment) == usd("50.00")


@pytest.mark.parametrize("amount", ["70.01", "0.00", "-1.00"])
def test_never_more_than_is_left_and_never_nothing(saved, merchant, amount):
    payment = paid(saved, merchant, "120.00")
    refund(payment=payment, order=order("50.00"), now=NOW)

    with pytest.raises(RefundTooLarge):
        refund(payment=payment, order=order(amount, seen=5000), now=NOW)


def test_declined_and_returned_payments_have_nothing_to_give_back(saved, merchant):
    declined = paid(saved, merchant, "120.00", number="4000000000009995")

    with pytest.raises(CannotRefund, match="declined"):
        refund(payment=declined, order=order("50.00"), now=NOW)


def test_refund_to_a_bank_account_moves_nothing_until_it_has_arrived(saved, merchant):
    payment = paid(saved, merchant, "120.00", number=BANK, bank=True)

    made = refund(payment=payment, order=order("120.00"), now=NOW)
    before = balances_of(payment)
    settle_debits(payment)
    resolve_refund(refund_id=made.id, now=NOW)

    payment.refresh_from_db()
    assert made.state == RefundState.PENDING
    assert before == [usd("0.00")]
    assert (payment.state, payment.refunding) == (PaymentState.REFUNDED, 0)
    assert Mail.objects.filter(kind="refund").count() == 1
    assert check_books() == []


def test_refund_that_the_bank_does_not_take_can_be_made_again_and_all_are_told(saved, merchant):
    StaffFactory(merchant=merchant)
    payment = paid(saved, merchant, "120.00", number=BANK, bank=True)
    account = GatewayAccount.objects.get(merchant=merchant)
    made = refund(payment=payment, order=order("120.00"), now=NOW)
    fail_refund(account.credentials(), made.gateway_reference)

    for _ in range(2):
        fetch_missed_events(account_id=account.id, now=NOW)
        for event in ReceivedEvent.objects.filter(applied_at=None):
            apply_event(event_id=event.id, now=NOW)

    made.refresh_from_db()
    assert (made.state, bool(made.message)) == (RefundState.FAILED, True)
    assert set(Mail.objects.filter(kind__startswith="refund").values_list("kind", flat=True)) == {
        "refund",
        "refund_not_made",
        "refund_not_made_to_merchant",
    }
    assert check_books() == []
    payment.refresh_from_db()
    assert refund(payment=payment, order=order("120.00"), now=NOW).state == RefundState.PENDING


def test_lost_answer_is_asked_for_and_nothing_is_given_back_twice(saved, merchant):
    customer = CustomerFactory(merchant=merchant)
    invoice = InvoiceFactory(customer=customer, amount=usd("120.00"))
    payment = collect(order=order_for(saved("4100000000081001", customer=customer), invoice), now=NOW)
    payment = resolve(payment_id=payment.id, now=NOW)

    silent = refund(payment=payment, order=order("50.00"), now=NOW)
    waiting = unanswered_refunds(now=NOW + timedelta(minutes=1))
    found = resolve_refund(refund_id=silent.id, now=NOW)

    assert silent.state == RefundState.SUBMITTING
    assert waiting == [silent.id]
    assert found.state == RefundState.SUCCEEDED
    assert given_back(payment) == usd("50.00")
    assert check_books() == []


def test_crash_before_the_call_gives_nothing_back_and_frees_the_amount(saved, merchant):
    payment = paid(saved, merchant, "120.00")
    crashed = crash_before_the_call(payment)

    with pytest.raises(StillUnknown):
        resolve_refund(refund_id=crashed.id, now=NOW)
    later = resolve_refund(refund_id=crashed.id, now=NOW + timedelta(hours=1))

    payment.refresh_from_db()
    assert later.state == RefundState.FAILED
    assert payment.refundable_money() == usd("120.00")
    assert check_books() == []


def crash_before_the_call(payment: Payment) -> Refund:
    return reserve_refund(payment.id, order("120.00"), NOW)[0]


def test_crash_before_settling_is_found_out(saved, merchant):
    payment = paid(saved, merchant, "120.00")
    crashed = crash_before_the_call(payment)
    line = gateway_of(GatewayAccount.objects.get(merchant=merchant))
    line.refund(RefundRequest(crashed.idempotency_key, payment.gateway_reference, usd("120.00")))

    resolve_refund(refund_id=crashed.id, now=NOW)

    assert given_back(payment) == usd("120.00")
    assert check_books() == []


def test_payment_that_is_refunded_and_then_returned_is_gone_twice_and_the_books_say_so(saved, merchant):
    payment = paid(saved, merchant, "120.00", number=BANK, bank=True)
    account = GatewayAccount.objects.get(merchant=merchant)
    refund(payment=payment, order=order("120.00"), now=NOW)
    settle_debits(payment)
    resolve_refund(refund_id=Refund.objects.get().id, now=NOW)

    return_debit(account.credentials(), payment.gateway_reference, "R10")
    fetch_missed_events(account_id=account.id, now=NOW)
    for event in ReceivedEvent.objects.filter(applied_at=None):
        apply_event(event_id=event.id, now=NOW)

    payment.refresh_from_db()
    assert payment.state == PaymentState.RETURNED
    assert balances_of(payment) == [usd("120.00")]
    assert balance_of(merchant.id, Account.GIVEN_BACK_TWICE, "USD") == usd("120.00")
    assert check_books() == []


def test_processor_that_was_disconnected_is_named_and_nothing_is_reserved(saved, merchant):
    payment = paid(saved, merchant, "120.00")
    GatewayAccount.objects.filter(merchant=merchant).delete()

    with pytest.raises(CannotRefund, match="not connected any more"):
        refund(payment=payment, order=order("50.00"), now=NOW)

    assert not Refund.objects.exists()


def test_processor_stays_connected_while_a_refund_is_under_way(saved, merchant):
    payment = paid(saved, merchant, "120.00", number=BANK, bank=True)
    PaymentMethod.objects.update(saved_at=None)
    refund(payment=payment, order=order("50.00"), now=NOW)

    with pytest.raises(GatewayInUse):
        disconnect_gateway(merchant=merchant, name="sandbox")


def test_late_word_does_not_undo_a_refund(saved, merchant):
    payment = paid(saved, merchant, "120.00")
    made = refund(payment=payment, order=order("50.00"), now=NOW)

    for outcome in (Outcome.PENDING, Outcome.DECLINED, Outcome.NOT_SENT, Outcome.UNKNOWN, Outcome.SUCCEEDED):
        made = settle_refund(refund=made, result=RefundResult(outcome), now=NOW)

    assert made.state == RefundState.SUCCEEDED
    assert given_back(payment) == usd("50.00")
    assert check_books() == []


def test_mail_says_what_comes_back_and_what_is_owed(saved, merchant):
    payment = paid(saved, merchant, "120.00")
    refund(payment=payment, order=order("50.00"), now=NOW)
    mails = list(Mail.objects.filter(kind="refund"))

    (draft,) = composer_of("refund")(mails, NOW).values()

    assert draft.subject == f"Refund: $50.00 from {merchant.name}"
    assert "Damaged goods" in draft.text
    assert "owed again" in draft.text


@pytest.mark.parametrize("state", RefundState)
def test_every_state_has_a_label_a_colour_and_a_transition_rule(state):
    assert state.label
    assert state.value in LOOKS
    assert REFUND_TRANSITIONS[state] <= set(RefundState)
