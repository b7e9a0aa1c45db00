"""What the fields accept, and what they say about what they do not."""

from datetime import date

import pytest
from stdnum import luhn

from payorcrm.gateways.sandbox.processor.read_entry import EntryRefused, brand_of, read_bank_account, read_card
from payorcrm.gateways.sandbox.processor.test_numbers import BANK_ACCOUNTS, CARDS

TODAY = date(2026, 11, 20)
CARD = {"number": "4242 4242 4242 4242", "expiry": "04 / 29", "cvc": "123", "name": "  Ada   Example "}
BANK = {
    "routing_number": "110000000",
    "account_number": "000123455456",
    "account_number_again": "0001 2345 5456",
    "name": "Ada Example",
    "account_type": "checking",
    "holder_type": "business",
}


def complaints_about_card(**changes: str) -> dict[str, str]:
    with pytest.raises(EntryRefused) as refused:
        read_card(CARD | changes, today=TODAY)
    return refused.value.complaints


def complaints_about_bank(**changes: str) -> dict[str, str]:
    with pytest.raises(EntryRefused) as refused:
        read_bank_account(BANK | changes)
    return refused.value.complaints


def test_card_is_read() -> None:
    entry = read_card(CARD, today=TODAY)

    assert (entry.brand, entry.last4, entry.expiry_month, entry.expiry_year) == ("visa", "4242", 4, 2029)
    assert entry.holder_name == "Ada Example"


@pytest.mark.parametrize("expiry", ["11/26", "11/2026", "1126", "11 - 26", "1/27"])
def test_card_good_to_the_end_of_its_month_is_accepted(expiry: str) -> None:
    assert read_card(CARD | {"expiry": expiry}, today=TODAY).expiry_year in (2026, 2027)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("number", ""),
        ("number", "4242 4242 4242 4243"),
        ("number", "4242 4242 4242"),
        ("number", "4242x4242y4242z4242"),
        ("number", "٤٢٤٢424242424242"),
        ("expiry", ""),
        ("expiry", "10/26"),
        ("expiry", "13/29"),
        ("expiry", "0/29"),
        ("expiry", "04/99"),
        ("expiry", "soon"),
        ("cvc", ""),
        ("cvc", "12"),
        ("cvc", "1234"),
        ("cvc", "abc"),
        ("name", "   "),
    ],
)
def test_wrong_card_field_is_named_alone(field: str, text: str) -> None:
    assert list(complaints_about_card(**{field: text})) == [field]


def test_american_express_has_four_digits_for_a_code() -> None:
    assert "cvc" in complaints_about_card(number="378282246310005")
    assert read_card(CARD | {"number": "378282246310005", "cvc": "1234"}, today=TODAY).brand == "amex"


@pytest.mark.parametrize(
    ("number", "brand"),
    [
        ("4", "visa"),
        ("2221", "mastercard"),
        ("2720", "mastercard"),
        ("2721", ""),
        ("34", "amex"),
        ("65", "discover"),
        ("9", ""),
    ],
)
def test_brand_is_told_by_the_first_digits(number: str, brand: str) -> None:
    assert brand_of(number) == brand


def test_bank_account_is_read() -> None:
    entry = read_bank_account(BANK)

    assert (entry.bank_name, entry.last4, entry.account_type) == ("First Sandbox Bank", "5456", "checking")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("routing_number", ""),
        ("routing_number", "110000001"),
        ("routing_number", "11000000"),
        ("routing_number", "11000000a"),
        ("account_number_again", "000123455457"),
        ("account_number_again", ""),
        ("name", ""),
        ("account_type", "gold"),
        ("holder_type", ""),
    ],
)
def test_wrong_bank_field_is_named_alone(field: str, text: str) -> None:
    assert list(complaints_about_bank(**{field: text})) == [field]


@pytest.mark.parametrize("number", ["", "123", "123456789012345678", "12a456", "000444444001"])
def test_account_number_that_cannot_be_is_refused(number: str) -> None:
    assert list(complaints_about_bank(account_number=number, account_number_again=number)) == ["account_number"]


def test_every_test_card_can_be_entered() -> None:
    assert all(luhn.is_valid(card.number) for card in CARDS)
    assert len({card.number for card in CARDS}) == len(CARDS)


def test_every_test_account_but_the_refused_one_can_be_entered() -> None:
    numbers = [account.number for account in BANK_ACCOUNTS if account.behaviour != "refused_at_entry"]

    entries = [read_bank_account(BANK | {"account_number": n, "account_number_again": n}) for n in numbers]

    assert len(entries) == len(BANK_ACCOUNTS) - 1
