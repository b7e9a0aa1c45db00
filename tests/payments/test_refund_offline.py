"""Giving back money that came without a processor."""

from datetime import timedelta
from uuid import uuid4

import pytest

from payorcrm.ledger.balances import balance_of
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Account
from payorcrm.payments.models import (
    OfflineKind,
    RefundState,
)
from payorcrm.payments.record_offline import OfflineMoney, record_offline
from payorcrm.payments.refund import (
    refund,
    reserve_refund,
)
from payorcrm.payments.resolve import resolve_refund, unanswered_refunds
from tests.factories.models import NOW, CustomerFactory, usd
from tests.payments.refund_kit import given_back, order

pytestmark = pytest.mark.django_db


def test_offline_payment_is_given_back_by_hand_and_only_recorded(merchant):
    payment = record_offline(money=cash(CustomerFactory(merchant=merchant), "40.00"), now=NOW)

    made = refund(payment=payment, order=order("15.00"), now=NOW)

    assert made.state == RefundState.SUCCEEDED
    assert balance_of(merchant.id, Account.BANK, "USD") == usd("25.00")
    assert balance_of(merchant.id, Account.UNAPPLIED, "USD") == usd("-25.00")
    assert check_books() == []


def test_offline_refund_that_was_cut_short_is_written_down_without_asking_any_processor():
    customer = CustomerFactory()
    payment = record_offline(money=cash(customer, "40.00"), now=NOW)
    crashed = reserve_refund(payment.id, order("15.00"), NOW)[0]

    (waiting,) = unanswered_refunds(now=NOW + timedelta(minutes=1))
    resolve_refund(refund_id=waiting, now=NOW + timedelta(minutes=1))

    crashed.refresh_from_db()
    assert crashed.state == RefundState.SUCCEEDED
    assert given_back(payment) == usd("15.00")
    assert check_books() == []


def cash(customer, amount: str) -> OfflineMoney:
    return OfflineMoney(
        key=uuid4(),
        customer=customer,
        kind=OfflineKind.CASH,
        reference="",
        received_on=NOW.date(),
        amount=usd(amount),
        by_invoice={},
    )
