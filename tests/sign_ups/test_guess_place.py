"""A first guess at time zone and currency."""

import pytest

from payorcrm.sign_ups.guess_place import guess_currency, guess_zone


@pytest.mark.parametrize(
    ("languages", "zone", "currency"),
    [
        ("en-US,en;q=0.9", "America/New_York", "USD"),
        ("en-GB,en;q=0.9", "Europe/London", "GBP"),
        ("fr,fr-CA;q=0.8", "America/Toronto", "CAD"),
        ("de-AT", "Europe/Vienna", "EUR"),
        ("ja-JP", "Asia/Tokyo", "JPY"),
        ("zh-Hans-SG", "Asia/Singapore", "SGD"),
        ("es", "America/New_York", "USD"),
        ("", "America/New_York", "USD"),
        ("xx-QQ, ;;;", "America/New_York", "USD"),
    ],
)
def test_a_place_is_guessed_from_the_browsers_languages(languages, zone, currency):
    assert guess_zone(languages) == zone
    assert guess_currency(zone) == currency


def test_a_time_zone_of_no_country_has_the_dollar():
    assert guess_currency("UTC") == "USD"
    assert guess_currency("Mars/Olympus") == "USD"
