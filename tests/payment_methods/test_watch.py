"""Reminders of deposits after three and seven days, an end after fourteen, and one mail for a card that expires."""

from datetime import UTC, datetime, timedelta

import pytest

from payorcrm.customers.models import Contact
from payorcrm.mail.models import Mail
from payorcrm.payment_methods.models import PaymentMethod, Verification
from payorcrm.payment_methods.watch import end_old_verifications, mail_expiring_cards, remind_of_deposits
from tests.factories.models import NOW, PaymentMethodFactory


@pytest.fixture
def pending(db):
    return PaymentMethodFactory(bank=True, verification=Verification.PENDING)


def test_two_reminders_while_the_amounts_are_missing(pending):
    reminded = [remind_of_deposits(now=NOW + timedelta(days=day)) for day in range(16)]

    assert [day for day, count in enumerate(reminded) if count] == [3, 7]
    assert set(Mail.objects.values_list("kind", "about_id")) == {("deposits_reminder", pending.id)}


def test_job_that_did_not_run_for_a_week_reminds_once(pending):
    reminded = [remind_of_deposits(now=NOW + timedelta(days=day)) for day in (8, 9, 10)]

    assert reminded == [1, 0, 0]


def test_verified_and_removed_accounts_are_left_alone(db):
    PaymentMethodFactory(bank=True, verification=Verification.VERIFIED)
    PaymentMethodFactory(bank=True, verification=Verification.PENDING, removed_at=NOW)

    assert remind_of_deposits(now=NOW + timedelta(days=4)) == 0
    assert end_old_verifications(now=NOW + timedelta(days=15)) == 0


def test_account_that_nobody_verified_for_two_weeks_is_given_up_once(pending):
    ended = [end_old_verifications(now=NOW + timedelta(days=day)) for day in (13, 14, 15)]

    pending.refresh_from_db()
    assert ended == [0, 1, 0]
    assert pending.verification == Verification.FAILED
    assert Mail.objects.get().kind == "method_not_verified"


@pytest.mark.parametrize(
    ("day", "is_mailed"), [("2026-11-30", False), ("2026-12-01", True), ("2026-12-31", True), ("2027-01-01", False)]
)
def test_card_is_mailed_in_the_thirty_days_before_its_last_one(db, day, is_mailed):
    PaymentMethodFactory(expiry_month=12, expiry_year=2026)

    count = mail_expiring_cards(now=datetime.fromisoformat(f"{day}T18:00").replace(tzinfo=UTC))

    assert count == is_mailed
    assert list(Mail.objects.values_list("kind", flat=True)) == ["card_expiring"] * is_mailed


def test_expiring_card_is_mailed_once_and_thirty_cost_as_much_as_one(db, django_assert_num_queries):
    PaymentMethodFactory.create_batch(30, expiry_month=12, expiry_year=2026)
    PaymentMethodFactory(expiry_month=12, expiry_year=2026, removed_at=NOW)
    PaymentMethodFactory(bank=True)
    moment = datetime(2026, 12, 5, tzinfo=UTC)

    with django_assert_num_queries(7):
        first = mail_expiring_cards(now=moment)

    assert (first, mail_expiring_cards(now=moment)) == (30, 0)
    assert Mail.objects.count() == 30


def test_customer_without_an_address_stops_nobody(db):
    nobody, other = PaymentMethodFactory.create_batch(2, expiry_month=12, expiry_year=2026)
    Contact.objects.filter(customer=nobody.customer).update(email="")

    mail_expiring_cards(now=datetime(2026, 12, 5, tzinfo=UTC))

    assert Mail.objects.get().about_id == other.id
    assert not PaymentMethod.objects.filter(expiry_mailed_at=None).exists()
