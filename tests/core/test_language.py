"""The active language decides how amounts and days are written; no other code does."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.numbers import format_currency
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from payorcrm.core.errors import Refused
from payorcrm.core.language import babel_locale, direction_of, known_language, speaking
from payorcrm.core.money import Money, decimals_of
from payorcrm.core.write_dates import write_day, write_long_day, write_long_moment, write_moment

EVENING = datetime(2026, 9, 2, 18, 34, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(("code", "locale"), [("en", "en_US"), ("es", "es_US"), ("", "en_US"), ("tlh", "en_US")])
def test_each_language_has_its_american_locale(code, locale):
    with speaking(code):
        assert babel_locale() == locale


def test_without_any_language_amounts_are_american():
    with translation.override(None):
        assert str(Money(115000, "USD")) == "$1,150.00"


def test_an_unknown_language_is_the_installations_own():
    assert known_language("es") == "es"
    assert known_language("xx") == known_language("") == "en"


def test_days_and_moments_follow_the_language():
    day = date(2026, 11, 22)

    with speaking("en"):
        english = [write_day(day), write_long_day(day), write_moment(EVENING), write_long_moment(EVENING)]
    with speaking("es"):
        spanish = [write_day(day), write_long_day(day), write_moment(EVENING), write_long_moment(EVENING)]

    assert english == [
        "Nov 22, 2026",
        "November 22, 2026",
        "Sep 2, 2026, 6:34 PM EDT",
        "September 2, 2026 at 6:34 PM EDT",
    ]
    assert [text.replace("\u202f", " ") for text in spanish] == [
        "22 nov 2026",
        "22 de noviembre de 2026",
        "2 sept 2026, 6:34 p.m. EDT",
        "2 de septiembre de 2026, 6:34 p.m. EDT",
    ]


def test_a_language_without_a_pattern_of_ours_is_written_as_babel_writes_it():
    with translation.override("he"):
        assert "2026" in write_moment(EVENING)
        assert Money(5000, "USD").format() == format_currency(Decimal(50), "USD", locale="he")


@given(
    st.integers(min_value=-(10**13), max_value=10**13),
    st.sampled_from(["USD", "MXN", "JPY", "GBP", "KWD"]),
    st.sampled_from(["en", "es"]),
)
def test_the_quick_way_writes_what_babel_writes(minor, currency, code):
    exact = Decimal(minor).scaleb(-decimals_of(currency))

    with speaking(code):
        assert str(Money(minor, currency)).replace("\u00a0", "") == format_currency(
            exact, currency, locale=babel_locale()
        )


@given(st.integers(min_value=-(10**13), max_value=10**13), st.sampled_from(["USD", "EUR", "MXN", "JPY", "CHF"]))
def test_spanish_amounts_are_read_back(minor, currency):
    money = Money(minor, currency)

    assert Money.parse(money.format("es_US"), currency) == money


def test_hebrew_and_arabic_run_from_right_to_left():
    assert {code: direction_of(code) for code in ("en", "es", "he", "ar")} == {
        "en": "ltr",
        "es": "ltr",
        "he": "rtl",
        "ar": "rtl",
    }


def test_a_refusal_speaks_the_language_in_which_it_is_raised():
    class Closed(Refused):
        """A rule for this test."""

        message = translation.gettext_lazy("This field is required.")  # a sentence of Django's own catalogue

    with speaking("es"):
        refused = Closed()

    assert str(refused) == "Este campo es obligatorio."
