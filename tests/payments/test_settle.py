"""Writing down what the processor said: forward only, once, with all that follows."""

from datetime import timedelta

import pytest

from payorcrm.gateways.base import ChargeResult, DeclineCode, Outcome
from payorcrm.ledger.balances import balance_of
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Account
from payorcrm.mail.drafts import composer_of
from payorcrm.mail.models import Mail
from payorcrm.payments.models import PAYMENT_TRANSITIONS, PaymentState
from payorcrm.payments.reserve import reserve
from payorcrm.payments.settle import settle
from payorcrm.ui.badges import LOOKS
from tests.factories.models import NOW, InvoiceFactory, PaymentMethodFactory, StaffFactory, usd
from tests.payments.kit import order_for

SUCCEEDED = ChargeResult(outcome=Outcome.SUCCEEDED, reference="ch_1")
PENDING = ChargeResult(outcome=Outcome.PENDING, reference="ch_1")
DECLINED = ChargeResult(outcome=Outcome.DECLINED, reference="ch_1", decline_code=DeclineCode.DECLINED)
RETURNED = ChargeResult(outcome=Outcome.RETURNED, reference="ch_1", return_code="R01")
NOT_SENT = ChargeResult(outcome=Outcome.NOT_SENT)
UNKNOWN = ChargeResult(outcome=Outcome.UNKNOWN)


@pytest.fixture
def invoice(db):
    return InvoiceFactory(amount=usd("120.00"))


@pytest.fixture
def payment(invoice):
    method = PaymentMethodFactory(customer=invoice.customer, bank=True)
    return reserve(order=order_for(method, invoice), now=NOW).payment


def compose_mails(kind):
    mails = list(Mail.objects.filter(kind=kind))
    drafts = composer_of(kind)(mails, NOW)
    return [drafts.get(mail.id) for mail in mails]


def after(payment, *results):
    for result in results:
        payment = settle(payment=payment, result=result, now=NOW)
    return payment


def test_success_told_twice_is_booked_once(payment, invoice):
    after(payment, SUCCEEDED, SUCCEEDED)

    invoice.refresh_from_db()
    assert invoice.balance == 0
    assert balance_of(payment.merchant_id, Account.CLEARING, "USD") == usd("120.00")
    assert Mail.objects.filter(kind="receipt").count() == 1
    assert check_books() == []


def test_late_decline_does_not_undo_a_success(payment):
    payment = after(payment, SUCCEEDED, DECLINED)

    assert payment.state == PaymentState.SUCCEEDED
    assert check_books() == []


def test_pending_after_success_is_ignored(payment):
    payment = after(payment, SUCCEEDED, PENDING)

    assert payment.state == PaymentState.SUCCEEDED


def test_silence_changes_nothing(payment, invoice):
    payment = after(payment, UNKNOWN)

    invoice.refresh_from_db()
    assert payment.state == PaymentState.SUBMITTING
    assert invoice.in_flight_money() == usd("120.00")


def test_never_sent_releases_the_invoice(payment, invoice):
    payment = after(payment, NOT_SENT)

    invoice.refresh_from_db()
    assert payment.state == PaymentState.FAILED
    assert invoice.payable_money() == usd("120.00")
    assert check_books() == []


def test_return_before_clearing_releases_the_invoice_and_tells_both_sides(payment, invoice):
    owner = StaffFactory(merchant=payment.merchant)

    payment = after(payment, PENDING, RETURNED)

    invoice.refresh_from_db()
    assert (payment.state, payment.return_code) == (PaymentState.RETURNED, "R01")
    assert (invoice.status, invoice.payable_money()) == ("open", usd("120.00"))
    told = Mail.objects.filter(kind__startswith="payment_returned").values_list("to_address", flat=True)
    assert set(told) == {owner.user.email, invoice.customer.contacts.get().email}
    assert check_books() == []


def test_return_after_clearing_reopens_the_invoice_at_its_due_date_and_reverses_the_ledger(payment, invoice):
    due_on = invoice.due_on

    after(payment, PENDING, SUCCEEDED, RETURNED)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.balance, invoice.due_on) == ("open", 12_000, due_on)
    assert balance_of(payment.merchant_id, Account.CLEARING, "USD") == usd("0.00")
    assert check_books() == []


def test_charge_that_arrived_after_it_was_called_never_sent_is_booked_after_all(payment, invoice):
    payment = after(payment, NOT_SENT, SUCCEEDED)

    invoice.refresh_from_db()
    assert payment.state == PaymentState.SUCCEEDED
    assert invoice.status == "paid"
    assert check_books() == []


def test_charge_that_arrived_late_for_a_paid_invoice_stays_unapplied(payment, invoice):
    after(payment, NOT_SENT)
    invoice.refresh_from_db()
    other = reserve(order=order_for(payment.method, invoice), now=NOW).payment
    settle(payment=other, result=ChargeResult(outcome=Outcome.SUCCEEDED, reference="ch_2"), now=NOW)

    after(payment, SUCCEEDED)

    assert balance_of(payment.merchant_id, Account.UNAPPLIED, "USD") == usd("-120.00")
    assert balance_of(payment.merchant_id, Account.CLEARING, "USD") == usd("240.00")
    assert check_books() == []


def test_decline_found_out_later_is_mailed_and_one_on_the_page_is_not(invoice):
    method = PaymentMethodFactory(customer=invoice.customer)
    at_once = reserve(order=order_for(method, invoice), now=NOW).payment
    settle(payment=at_once, result=DECLINED, now=NOW)
    mails_at_once = Mail.objects.filter(kind="payment_not_made").count()
    invoice.refresh_from_db()
    lost = reserve(order=order_for(method, invoice), now=NOW).payment
    late_answer = ChargeResult(outcome=Outcome.DECLINED, reference="ch_9", decline_code=DeclineCode.DECLINED)
    settle(payment=lost, result=late_answer, now=NOW + timedelta(minutes=3))

    assert mails_at_once == 0
    assert Mail.objects.filter(kind="payment_not_made").count() == 1


def test_agreed_method_is_saved_once_its_first_payment_works(invoice):
    method = PaymentMethodFactory(customer=invoice.customer, saved_at=None, consent_text="Keep it.")
    payment = reserve(order=order_for(method, invoice), now=NOW).payment

    settle(payment=payment, result=SUCCEEDED, now=NOW)

    method.refresh_from_db()
    assert method.saved_at == NOW


def test_agreed_method_is_not_saved_when_its_payment_is_declined(invoice):
    method = PaymentMethodFactory(customer=invoice.customer, saved_at=None, consent_text="Keep it.")
    payment = reserve(order=order_for(method, invoice), now=NOW).payment

    settle(payment=payment, result=DECLINED, now=NOW)

    method.refresh_from_db()
    assert method.saved_at is None


@pytest.mark.parametrize("state", PaymentState)
def test_every_state_has_a_label_a_colour_and_a_transition_rule(state):
    assert state.label
    assert state.value in LOOKS
    assert PAYMENT_TRANSITIONS[state] <= set(PaymentState)


def test_receipt_carries_the_authorization_when_a_debit_cleared_before_the_first_mail_left(payment):
    after(payment, PENDING, SUCCEEDED)

    submitted, receipt = (compose_mails(kind) for kind in ("payment_submitted", "receipt"))

    assert submitted == [None]
    assert "I authorize this." in receipt[0].text
    assert "I authorize this." in receipt[0].html
