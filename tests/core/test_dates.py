"""Days are read as people write them, and refused where they could be two."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payorcrm.core.dates import AmbiguousDate, DateOrder, NotADate, parse_date

days = st.dates(min_value=date(1990, 1, 1), max_value=date(2068, 12, 31))

FIFTH_OF_AUGUST = [
    "2026-08-05", "2026/08/05", "2026.08.05", "20260805", "2026-08-05T00:00:00Z", "2026-08-05 12:30:00", "Aug 5, 2026",
    "August 5 2026", "Aug. 5, 2026", "5 August 2026", "5th August 2026", "05-AUG-2026", "5-Aug-26", "Aug-05-2026",
    "Wednesday, August 5, 2026", "Wed, 5 Aug 2026", "2026 Aug 5", " 2026-08-05 ",
]  # fmt: skip


@pytest.mark.parametrize("text", FIFTH_OF_AUGUST)
@pytest.mark.parametrize("order", [None, *DateOrder])
def test_a_day_that_can_be_only_one_is_read_whatever_the_order(text, order):
    assert parse_date(text, order) == date(2026, 8, 5)


@pytest.mark.parametrize(
    ("text", "day"), [("8/25/2026", 25), ("25/8/2026", 25), ("25.08.2026", 25), ("8-8-2026", 8), ("8/25/26", 25)]
)
def test_digits_that_fit_one_order_only_are_read(text, day):
    assert parse_date(text) == date(2026, 8, day)


def test_an_ambiguous_date_is_refused_with_both_readings_and_the_way_out():
    with pytest.raises(AmbiguousDate) as refused:
        parse_date("03/04/2026")

    message = str(refused.value)
    assert "March 4, 2026" in message
    assert "April 3, 2026" in message
    assert "--dates mdy" in message
    assert "--dates dmy" in message


@pytest.mark.parametrize("text", ["13/04/26", "26-08-05", "3/4/26"])
def test_a_year_of_two_digits_may_stand_first_or_last(text):
    with pytest.raises(AmbiguousDate):
        parse_date(text)


@pytest.mark.parametrize(
    ("order", "day"),
    [(DateOrder.MDY, date(2004, 5, 6)), (DateOrder.DMY, date(2004, 6, 5)), (DateOrder.YMD, None)],
)
def test_the_order_decides(order, day):
    if day:
        assert parse_date("05/06/2004", order) == day
    else:
        assert parse_date("05/06/04", order) == date(2005, 6, 4)


def test_a_date_that_does_not_fit_the_order_is_refused_and_not_turned_round():
    with pytest.raises(NotADate):
        parse_date("13/04/2026", DateOrder.MDY)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-02-30", "13/13/2026", "46239", "Aug 5", "5 Foo 2026", "2026-W05-1", "1/1/1900", "0026-01-01"],
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(NotADate):
        parse_date(text)


@given(days, st.sampled_from(list(DateOrder)), st.sampled_from("/-."))
def test_every_day_written_in_an_order_is_read_in_that_order(day, order, separator):
    text = separator.join({"y": f"{day.year}", "m": f"{day.month}", "d": f"{day.day}"}[part] for part in order)

    assert parse_date(text, order) == day


@given(days)
def test_digits_are_read_right_or_refused_but_never_wrong(day):
    for text in (f"{day:%m/%d/%Y}", f"{day:%m/%d/%y}"):
        try:
            assert parse_date(text) == day
        except AmbiguousDate:
            assert day.day != day.month or len(text) == 8


@given(days, st.sampled_from(["%b %d, %Y", "%B %d %Y", "%d %b %Y", "%d-%b-%y", "%A, %B %d, %Y", "%Y-%m-%d", "%Y%m%d"]))
def test_days_with_named_months_or_years_first_are_read_back(day, form):
    assert parse_date(day.strftime(form)) == day


@given(st.text(max_size=24), st.sampled_from([None, *DateOrder]))
def test_any_text_is_a_day_or_refused(text, order):
    try:
        day = parse_date(text, order)
    except NotADate:
        return
    assert 1990 <= day.year < 2100
