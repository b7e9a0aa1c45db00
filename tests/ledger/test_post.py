"""The journal: balanced, append-only, and each cause posted once; the database itself says so."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from payorcrm.core.money import Money
from payorcrm.ledger.balances import balance_of
from payorcrm.ledger.models import Account, Entry, EntryKind, Posting
from payorcrm.ledger.post import Line, NotBalanced, Source, post_entry
from tests.factories.models import NOW, CustomerFactory, MerchantFactory, usd


@pytest.fixture
def merchant(db):
    return MerchantFactory()


def post(merchant, *lines, source=None):
    return post_entry(
        merchant_id=merchant.id,
        kind=EntryKind.PAYMENT,
        postings=lines,
        source=source or Source("test", uuid4()),
        now=NOW,
    )


def pair(amount):
    return Line(Account.CLEARING, amount), Line(Account.INVOICED, -amount)


def test_entry_moves_both_accounts(merchant):
    post(merchant, *pair(usd("12.34")))

    assert balance_of(merchant.id, Account.CLEARING, "USD") == usd("12.34")
    assert balance_of(merchant.id, Account.INVOICED, "USD") == usd("-12.34")


@given(amounts=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=6))
def test_anything_that_does_not_sum_to_zero_is_refused_before_it_is_written(amounts):
    lines = [Line(Account.CLEARING, Money(amount, "USD")) for amount in amounts]
    if sum(amounts):
        with pytest.raises(NotBalanced):
            post_entry(
                merchant_id=uuid4(), kind=EntryKind.PAYMENT, postings=lines, source=Source("x", uuid4()), now=NOW
            )


def test_two_currencies_must_each_sum_to_zero(merchant):
    with pytest.raises(NotBalanced):
        post(merchant, Line(Account.CLEARING, usd("1.00")), Line(Account.INVOICED, Money(-100, "EUR")))


def test_same_cause_is_posted_once(merchant):
    source = Source("payment", uuid4())
    post(merchant, *pair(usd("1.00")), source=source)

    with pytest.raises(IntegrityError), transaction.atomic():
        post(merchant, *pair(usd("1.00")), source=source)


@transaction.atomic
def post_and_add_a_cent(merchant):
    entry = post(merchant, *pair(usd("1.00")))
    Posting.objects.create(merchant=merchant, entry_id=entry, account=Account.CLEARING, amount=1, currency="USD")


@pytest.mark.parametrize("statement", ["UPDATE ledger_posting SET amount = 1", "DELETE FROM ledger_posting"])
def test_database_refuses_to_change_what_was_posted(merchant, statement):
    post(merchant, *pair(usd("1.00")))

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_database_refuses_an_entry_that_does_not_balance_at_commit():
    merchant = MerchantFactory()

    with pytest.raises(IntegrityError, match="does not sum to zero"):
        post_and_add_a_cent(merchant)

    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_database_refuses_a_posting_added_to_an_old_entry():
    merchant = MerchantFactory()
    with transaction.atomic():
        entry = post(merchant, *pair(usd("1.00")))

    with pytest.raises(IntegrityError, match="posted before"):
        Posting.objects.create(merchant=merchant, entry_id=entry, account=Account.CLEARING, amount=1, currency="USD")


def test_receivable_needs_its_customer(merchant):
    with pytest.raises(IntegrityError), transaction.atomic():
        post(merchant, Line(Account.RECEIVABLE, usd("1.00")), Line(Account.INVOICED, usd("-1.00")))


def test_receivables_are_kept_per_customer(merchant):
    one, other = CustomerFactory(merchant=merchant), CustomerFactory(merchant=merchant)
    for customer, amount in ((one, usd("5.00")), (other, usd("7.00"))):
        post(merchant, Line(Account.RECEIVABLE, amount, customer.id), Line(Account.INVOICED, -amount))

    assert balance_of(merchant.id, Account.RECEIVABLE, "USD", one.id) == usd("5.00")
    assert balance_of(merchant.id, Account.RECEIVABLE, "USD") == usd("12.00")
