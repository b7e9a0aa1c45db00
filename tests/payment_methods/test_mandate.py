"""The authorization of a bank debit says what Nacha asks for, and is kept word for word."""

from datetime import date

import pytest

from payorcrm.payment_methods.mandate import Acceptance, authorization_text, entry_class_of, record_mandate
from tests.factories.models import NOW, PaymentMethodFactory, usd


@pytest.fixture
def account(db):
    return PaymentMethodFactory(bank=True)


def text_for(account, numbers):
    return authorization_text(
        merchant=account.merchant,
        method=account,
        amount=usd("1150.00"),
        invoice_numbers=numbers,
        today=date(2026, 11, 20),
    )


def test_text_names_amount_date_account_invoices_and_how_to_revoke(account):
    text = text_for(account, ["43250", "40678"])

    for part in ("$1,150.00", "November 20, 2026", "checking account ending in 5456", "First Harbor Bank"):
        assert part in text
    assert "invoices 43250, 40678" in text
    assert f"writing to {account.merchant.reply_to}" in text


def test_many_invoices_are_counted_instead_of_listed(account):
    assert "and 3 more" in text_for(account, [str(number) for number in range(8)])


def test_mandate_keeps_the_text_and_its_proof(account):
    acceptance = Acceptance(at=NOW, address="192.0.2.1", user_agent="x" * 900)

    mandate = record_mandate(method=account, text="I authorize.", amount=usd("5.00"), acceptance=acceptance)

    mandate.refresh_from_db()
    assert (mandate.text, mandate.accepted_at, mandate.address) == ("I authorize.", NOW, "192.0.2.1")
    assert len(mandate.user_agent) == 300


@pytest.mark.parametrize(("holder", "entry_class"), [("business", "CCD"), ("consumer", "WEB")])
def test_entry_class_follows_the_account_holder(account, holder, entry_class):
    account.holder_type = holder

    assert entry_class_of(account) == entry_class


def test_card_has_no_entry_class(db):
    assert entry_class_of(PaymentMethodFactory()) == ""
