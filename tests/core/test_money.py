"""Money loses no cent, and reads no amount that it is not sure of."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payorcrm.core.money import MixedCurrencies, Money, NotAnAmount, add_up, decimals_of, is_currency, parse_minor
from tests.factories.models import usd

amounts = st.integers(min_value=-(10**13), max_value=10**13)
currencies = st.sampled_from(["USD", "EUR", "GBP", "JPY", "KWD", "CAD", "INR", "CHF"])


@given(amounts, st.lists(st.integers(min_value=0, max_value=10**9), min_size=1).filter(any))
def test_split_adds_up_to_what_was_split(minor, weights):
    money = Money(minor, "USD")

    parts = money.split(weights)

    assert add_up(parts, "USD") == money


@given(amounts, st.lists(st.integers(min_value=0, max_value=10**9), min_size=1).filter(any))
def test_split_gives_each_part_its_share_to_less_than_a_cent(minor, weights):
    parts = Money(minor, "USD").split(weights)

    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor * sum(weights) - minor * weight) < sum(weights)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1, 3]])
def test_split_refuses_weights_that_are_no_shares(weights):
    with pytest.raises(ValueError, match="weights"):
        usd("10.00").split(weights)


@given(amounts, currencies)
def test_every_formatted_amount_is_read_back(minor, currency):
    money = Money(minor, currency)

    assert Money.parse(money.format(), currency) == money


@given(amounts, currencies)
def test_every_plain_decimal_is_read_back(minor, currency):
    money = Money(minor, currency)

    assert Money.parse(f"{money.to_decimal():f}", currency) == money


@given(
    st.integers(min_value=0, max_value=10**13), st.sampled_from(["de_DE", "fr_FR", "de_CH", "en_GB", "it_IT", "es_ES"])
)
def test_amounts_as_other_countries_write_them_are_read_back(minor, locale):
    money = Money(minor, "EUR")

    assert Money.parse(money.format(locale), "EUR") == money


@given(st.text(max_size=20), currencies)
def test_any_text_is_an_amount_or_refused(text, currency):
    try:
        minor = parse_minor(text, currency)
    except NotAnAmount:
        return
    assert abs(minor) < 10**15


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1150", 115000),
        ("1150.5", 115050),
        ("$1,150.00", 115000),
        ("1.150,00", 115000),
        ("1 150,00", 115000),
        ("1'150.00", 115000),
        ("1,150", 115000),
        ("1.150.000", 115000000),
        ("(45.00)", -4500),
        ("($45.00)", -4500),
        ("-$45.00", -4500),
        ("$-45.00", -4500),
        ("45.00-", -4500),
        ("\u221245", -4500),
        ("US$ 5", 500),
        ("5 USD", 500),
        ("1150.0000", 115000),
        (".50", 50),
        ("12,5", 1250),
    ],
)
def test_parse_reads_dollars_as_people_write_them(text, minor):
    assert parse_minor(text, "USD") == minor


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1.150", "two amounts"),
        ("0.125", "decimals"),
        ("1,1500", "decimals"),
        ("1,150.005", "decimals"),
        ("1,150,00", "both"),
        ("(45.00", "parenthesis"),
        ("--45", "two signs"),
        ("(-45)", "two signs"),
        ("€100", "not in USD"),
        ("100 EUR", "not in USD"),
        ("12 34", "not an amount"),
        ("1e3", "not an amount"),
        ("", "not an amount"),
        ("ten", "not an amount"),
        ("٣", "not an amount"),
        ("1,15,000", "not an amount"),
        ("9" * 16, "too large"),
        ("9" * 5_000, "too large"),
    ],
)
def test_parse_refuses_what_it_is_not_sure_of_and_says_why(text, why):
    with pytest.raises(NotAnAmount, match=why):
        parse_minor(text, "USD")


def test_a_dot_is_the_decimal_point_where_a_currency_has_three_decimals():
    assert parse_minor("1.150", "KWD") == 1150
    with pytest.raises(NotAnAmount, match="two amounts"):
        parse_minor("1,150", "KWD")


def test_a_currency_without_decimals_takes_none():
    assert parse_minor("¥1,150", "JPY") == 1150
    with pytest.raises(NotAnAmount, match="decimals"):
        parse_minor("1150.5", "JPY")


def test_a_plain_sign_serves_every_currency_that_shares_it():
    assert parse_minor("$5", "CAD") == parse_minor("CA$5", "CAD") == parse_minor("5 CAD", "CAD") == 500


def test_two_currencies_are_never_combined():
    for combine in (
        lambda: usd("1") + Money(1, "EUR"),
        lambda: usd("1") - Money(1, "EUR"),
        lambda: usd("1") < Money(1, "EUR"),
    ):
        with pytest.raises(MixedCurrencies):
            combine()


@given(amounts, amounts)
def test_addition_undoes_subtraction(one, other):
    assert Money(one, "USD") - Money(other, "USD") + Money(other, "USD") == Money(one, "USD")


def test_percent_rounds_half_to_the_even_cent():
    assert Money(50, "USD").percent("1") == Money(0, "USD")
    assert Money(150, "USD").percent("1") == Money(2, "USD")
    assert usd("1150.00").percent(Decimal("2.9")) == usd("33.35")


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(115000, "USD", "$1,150.00"), (-5, "USD", "-$0.05"), (1150, "JPY", "¥1,150"), (1150, "KWD", "KWD\xa01.150")],
)
def test_format_writes_amounts_as_americans_do(minor, currency, shown):
    assert Money(minor, currency).format() == shown


def test_currencies_are_known_by_their_codes():
    assert (decimals_of("USD"), decimals_of("JPY"), decimals_of("KWD")) == (2, 0, 3)
    assert is_currency("USD")
    assert not is_currency("usd")
    assert not is_currency("USX")
