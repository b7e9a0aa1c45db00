"""Days depend on where one is, and the whole clock can be moved."""

from datetime import UTC, date, datetime, timedelta

from payorcrm.core.clock import day_in, now


def test_an_evening_in_new_york_is_not_yet_the_next_day():
    moment = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)

    assert day_in("America/New_York", moment) == date(2026, 11, 22)
    assert day_in("Europe/Berlin", moment) == date(2026, 11, 23)


def test_the_clock_is_moved_by_the_setting(settings):
    settings.CLOCK_OFFSET_SECONDS = 7 * 86_400.0

    assert timedelta(days=6, hours=23) < now() - datetime.now(UTC) < timedelta(days=7, hours=1)


def test_now_is_aware_and_in_utc():
    assert now().utcoffset() == timedelta(0)
