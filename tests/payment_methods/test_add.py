"""A method is saved without paying, once for each card or account, and its owner hears of it."""

from datetime import timedelta

import pytest

from payorcrm.core.errors import Refused
from payorcrm.gateways.base import MethodKind, MethodNotAccepted
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import GatewayAccount
from payorcrm.payment_methods.add import add_method
from payorcrm.payment_methods.mandate import record_mandate
from payorcrm.payment_methods.models import PaymentMethod, Verification
from payorcrm.payment_methods.remove import remove_method
from payorcrm.payment_methods.save import Consent, TriesUsedUp
from tests.factories.models import NOW, TODAY, CustomerFactory, usd
from tests.payment_methods.kit import NEEDS_DEPOSITS, entered
from tests.payments.kit import ACCEPTANCE

CONSENT = Consent("Keep it.", "203.0.113.7", NOW)


@pytest.fixture
def customer(merchant):
    return CustomerFactory(merchant=merchant)


def add(customer, token):
    return add_method(customer=customer, kind=MethodKind.CARD, method_token=token, consent=CONSENT, now=NOW)


def test_card_is_saved_with_the_consent_and_its_owner_hears_of_it(customer):
    added = add(customer, entered(customer.merchant, "4242424242424242"))

    assert added.is_new
    assert added.method.is_saved()
    assert (added.method.consent_text, added.method.consent_address) == ("Keep it.", "203.0.113.7")
    assert list(PaymentMethod.objects.usable(currency="USD", today=TODAY)) == [added.method]
    assert [(mail.kind, mail.about_id) for mail in Mail.objects.all()] == [("method_added", added.method.id)]


def test_same_card_is_saved_once_and_takes_the_new_date(customer):
    first = add(customer, entered(customer.merchant, "4242424242424242", expiry="12/30")).method
    again = add(customer, entered(customer.merchant, "4242424242424242", expiry="06/34"))

    first.refresh_from_db()
    assert not again.is_new
    assert again.method == first == PaymentMethod.objects.saved().get()
    assert (first.expiry_month, first.expiry_year) == (6, 2034)
    assert Mail.objects.count() == 1


@pytest.mark.parametrize("is_unknown", [PaymentMethod, GatewayAccount])
@pytest.mark.parametrize(("number", "bank"), [("4242424242424242", False), ("000123456789", True)])
def test_what_was_saved_before_accounts_had_ids_stays_when_it_is_entered_again(customer, is_unknown, number, bank):
    first = add(customer, entered(customer.merchant, number, bank=bank)).method
    record_mandate(method=first, text="I authorize this.", amount=usd("5.00"), acceptance=ACCEPTANCE)
    is_unknown.objects.update(account_id="")

    again = add(customer, entered(customer.merchant, number, bank=bank))

    assert (again.method, again.is_new) == (first, False)
    assert PaymentMethod.objects.saved().get().mandates.get().revoked_at is None


def test_card_renewed_at_an_account_that_is_known_is_known_there(customer):
    first = add(customer, entered(customer.merchant, "4242424242424242")).method
    known = first.account_id
    PaymentMethod.objects.update(account_id="")

    add(customer, entered(customer.merchant, "4242424242424242"))

    assert known
    assert PaymentMethod.objects.saved().get().account_id == known


def test_account_that_needs_deposits_is_saved_but_cannot_pay(customer):
    method = add(customer, entered(customer.merchant, NEEDS_DEPOSITS, bank=True)).method

    assert method.verification == Verification.PENDING
    assert method.deposits_expected_on is not None
    assert method.is_saved()
    assert not method.can_pay(today=TODAY)
    assert not PaymentMethod.objects.usable(currency="USD", today=TODAY).exists()
    assert Mail.objects.get().kind == "deposits_sent"


def test_pending_account_entered_again_stays_as_it_is(customer):
    first = add(customer, entered(customer.merchant, NEEDS_DEPOSITS, bank=True)).method
    again = add(customer, entered(customer.merchant, NEEDS_DEPOSITS, bank=True))

    assert (again.method, again.is_new) == (first, False)
    assert PaymentMethod.objects.saved().get().token == first.token


@pytest.mark.parametrize(("tries", "saved_at"), [(0, NOW), (3, NOW - timedelta(days=31))])
def test_account_that_failed_makes_way_when_it_is_entered_again(customer, tries, saved_at):
    failed = add(customer, entered(customer.merchant, NEEDS_DEPOSITS, bank=True)).method
    PaymentMethod.objects.update(verification=Verification.FAILED, verification_try_count=tries, saved_at=saved_at)

    again = add(customer, entered(customer.merchant, NEEDS_DEPOSITS, bank=True))

    assert again.is_new
    assert again.method != failed
    assert PaymentMethod.objects.saved().get().verification == Verification.PENDING


def test_three_wrong_tries_do_not_start_over_by_entering_the_account_again(customer):
    failed = add(customer, entered(customer.merchant, NEEDS_DEPOSITS, bank=True)).method
    PaymentMethod.objects.update(verification=Verification.FAILED, verification_try_count=3)

    with pytest.raises(TriesUsedUp):
        add(customer, entered(customer.merchant, NEEDS_DEPOSITS, bank=True))
    remove_method(method_id=failed.id, now=NOW)
    with pytest.raises(TriesUsedUp):
        add(customer, entered(customer.merchant, NEEDS_DEPOSITS, bank=True))

    assert not PaymentMethod.objects.saved().exists()
    assert not PaymentMethod.objects.filter(removed_at=None).exists()


def test_same_card_of_two_customers_is_saved_for_both(customer):
    other = CustomerFactory(merchant=customer.merchant)

    for each in (customer, other):
        assert add(each, entered(customer.merchant, "4242424242424242")).is_new

    assert PaymentMethod.objects.saved().count() == 2


def test_token_that_the_processor_does_not_know_is_refused(customer):
    with pytest.raises(MethodNotAccepted):
        add(customer, "tok_made_up")

    assert not PaymentMethod.objects.exists()


def test_merchant_without_a_processor_cannot_save(db):
    with pytest.raises(Refused):
        add(CustomerFactory(), "tok_any")


def test_methods_are_offered_default_first_then_last_used_then_newest(customer):
    cards = [add(customer, entered(customer.merchant, number)).method for number in NUMBERS]
    change = PaymentMethod.objects.filter
    change(id=cards[0].id).update(last_used_at=NOW)
    change(id=cards[3].id).update(is_default=True)
    change(id=cards[2].id).update(saved_at=NOW.replace(year=2025))

    offered = [method.id for method in PaymentMethod.objects.usable(currency="USD", today=TODAY)]

    assert offered == [cards[3].id, cards[0].id, cards[1].id, cards[2].id]
    assert {method.kind for method in cards} == {MethodKind.CARD}


NUMBERS = ("4242424242424242", "4000000050000027", "5555555555554444", "378282246310005")
