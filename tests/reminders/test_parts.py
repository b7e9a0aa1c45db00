"""Invoice lists and buttons."""

from datetime import date, timedelta
from uuid import UUID

from django.urls import reverse

from payorcrm.reminders.parts import (
    Button,
    Listing,
    Row,
    buttons_html,
    buttons_text,
    day_in_words,
    invoice_list_html,
    invoice_list_text,
    late_in_words,
    parts_in,
    sign_in_url,
)
from tests.factories.models import NOW

TODAY = date(2026, 11, 20)
REQUEST = UUID(int=7)
PARTS = parts_in("#0f62a8")


def listing(count: int, number: str = "INV-{}") -> Listing:
    rows = [Row(number.format(place), TODAY - timedelta(days=place + 1), 10_000 + place) for place in range(count)]
    return Listing(rows, "USD", TODAY, REQUEST, NOW)


def test_days_and_delays_are_written_as_people_do() -> None:
    assert day_in_words(date(2026, 5, 8)) == "May 8, 2026"
    assert [late_in_words(1), late_in_words(20), late_in_words(1200)] == [
        "1 day overdue",
        "20 days overdue",
        "1,200 days overdue",
    ]


def test_a_list_shows_number_due_date_delay_amount_and_total() -> None:
    html = invoice_list_html(PARTS, listing(2))

    assert "@@" not in html
    assert html.count("<tr>") == 4
    for shown in ("INV-0", "November 19, 2026", "1 day overdue", "$100.00", "INV-1", "$100.01", "Total", "$200.01"):
        assert shown in html


def test_the_text_list_has_columns() -> None:
    assert invoice_list_text(listing(2, "A{}B")) == (
        "A0B  due November 19, 2026  $100.00\nA1B  due November 18, 2026  $100.01\nTotal                       $200.01"
    )


def test_a_long_list_ends_after_fifty_rows_with_a_link_to_all() -> None:
    long = listing(73)

    html, text = invoice_list_html(PARTS, long), invoice_list_text(long)

    assert html.count("overdue") == 50
    assert f'<a href="{long.more_url}"' in html
    assert "and 23 more: see all 73 invoices</a>" in html
    assert f"and 23 more: see all 73 invoices: {long.more_url}" in text
    assert long.total().format() in html
    assert "$7,326.28" in html


def test_exactly_fifty_rows_need_no_link() -> None:
    assert "more" not in invoice_list_text(listing(50))


def test_only_a_long_number_may_break() -> None:
    short, long = invoice_list_html(PARTS, listing(1, "INV-2026-12345")), invoice_list_html(PARTS, listing(1, "7" * 15))

    assert 'class="number short"' in short
    assert "white-space: nowrap" in short.partition("INV-2026-12345</td>")[0].rpartition("<td")[2]
    assert 'class="number long"' in long
    assert "white-space: nowrap" not in long.partition("777</td>")[0].rpartition("<td")[2]


def test_numbers_are_escaped() -> None:
    assert "&lt;script&gt;&quot;" in invoice_list_html(PARTS, listing(1, '<script>"'))


def test_the_first_button_is_filled_and_the_others_are_quiet() -> None:
    buttons = [
        Button("Pay $5 with card •••• 0027", "https://x.example/1?a&b"),
        Button("Pay $5 with new card", "https://x.example/2"),
    ]

    html, text = buttons_html(PARTS, buttons, "A note."), buttons_text(buttons, "A note.")

    assert html.index('class="button"') < html.index('class="button-quiet"')
    assert html.count('class="button-quiet"') == 1
    assert 'href="https://x.example/1?a&amp;b"' in html
    assert (
        text == "Pay $5 with card •••• 0027:\nhttps://x.example/1?a&b\n\n"
        "Pay $5 with new card:\nhttps://x.example/2\n\nA note."
    )


def test_the_link_to_sign_in_is_the_page_to_sign_in() -> None:
    assert sign_in_url("harbor") == f"http://localhost:8000{reverse('portal:entrance', args=['harbor'])}"
