"""Queueing a mail, and making a draft from templates with the layout around it."""

from datetime import timedelta
from pathlib import Path

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from payorcrm.mail.compose import Draft, NoAddress, first_words, mail_engine, queue_mail, render_draft, tidy_text
from payorcrm.mail.layout import MARKS, fill_html, fill_text, layout_of
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Merchant
from tests.factories.models import NOW, CustomerFactory

HARBOR = Merchant(
    name="Harbor & Sons",
    slug="harbor",
    address="1 Quay Street\nPortland",
    phone="+1 207 555 0134",
    accent_color="#b3261e",
)


@pytest.mark.django_db
def test_a_mail_is_queued_with_its_delivery() -> None:
    customer = CustomerFactory()

    mail = queue_mail(
        kind="receipt",
        about_id=None,
        merchant=customer.merchant,
        customer_id=customer.id,
        to_address="jo@acme.example",
        now=NOW,
        send_after=NOW + timedelta(hours=1),
    )

    assert Mail.objects.get() == mail
    assert (mail.state, mail.send_after) == (MailState.QUEUED, NOW + timedelta(hours=1))
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.scheduled_at) == ("payorcrm.mail.jobs.deliver", NOW + timedelta(hours=1))


@pytest.mark.django_db
def test_a_mail_to_nobody_is_refused() -> None:
    with pytest.raises(NoAddress):
        queue_mail(kind="receipt", about_id=None, merchant=None, customer_id=None, to_address="", now=NOW)

    assert not ProcrastinateJob.objects.exists()


@pytest.fixture
def note_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates of an invented mail."""
    engine = mail_engine()
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "note.html").write_text(
        '<p class="amount">{{ amount }}</p>{% include "mail/_button.html" with url=link label="Pay now" %}'
    )
    (tmp_path / "mail" / "note.txt").write_text(
        "{% if amount %}\n\n\nPay {{ amount }} to {{ merchant.name }}:  \n{{ link }}\n{% endif %}\n\n"
    )
    monkeypatch.setattr(engine, "dirs", [tmp_path])


@pytest.mark.usefixtures("note_template")
def test_a_draft_has_inline_styles_a_button_in_the_merchants_colour_and_a_real_text_part() -> None:
    draft = render_draft(
        "mail/note",
        subject="Note",
        merchant=HARBOR,
        context={"amount": "$5 <b>", "link": "https://pay.example/?a=1&b=2"},
    )

    assert "$5 &lt;b&gt;" in draft.html
    assert 'style="margin: 0 0 4px;font-size: 36px' in draft.html
    assert "background-color: #b3261e" in draft.html
    assert 'href="https://pay.example/?a=1&amp;b=2"' in draft.html
    assert draft.text == "Pay $5 <b> to Harbor & Sons:\nhttps://pay.example/?a=1&b=2\n"


def draft(**fields: str) -> Draft:
    defaults = {"subject": "Note", "html": "<p>Hello</p>", "text": "Hello\n", "reason": "You bought a boat."}
    return Draft(merchant=HARBOR, **(defaults | fields))


def test_the_layout_names_the_merchant_and_why_one_gets_the_mail() -> None:
    letter = draft(preheader="A <short> word", subject="5 > 4")

    html, text = fill_html(letter, layout_of(HARBOR)), fill_text(letter, layout_of(HARBOR))

    assert "<title>5 &gt; 4</title>" in html
    assert "A &lt;short&gt; word" in html
    assert "Harbor &amp; Sons" in html
    assert "1 Quay Street<br>Portland" in html
    assert "You bought a boat." in html
    assert "Unsubscribe" not in html
    assert text == "Hello\n\n-- \nHarbor & Sons\n1 Quay Street\nPortland\n+1 207 555 0134\n\nYou bought a boat.\n"


def test_a_list_mail_shows_how_to_end_it_in_both_parts() -> None:
    letter = draft(list_unsubscribe="https://pay.example/u/?a&b")

    assert 'href="https://pay.example/u/?a&amp;b"' in fill_html(letter, layout_of(HARBOR))
    assert "Unsubscribe from reminders: https://pay.example/u/?a&b\n" in fill_text(letter, layout_of(HARBOR))


def test_the_layout_keeps_rules_for_dark_screens_and_inlines_the_others() -> None:
    html = fill_html(draft(), layout_of(HARBOR))

    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "max-width: 600px" in html
    assert not any(mark in html for mark in MARKS.by_gap.values())
    assert "<script" not in html


def test_a_name_that_looks_like_a_gap_is_printed_as_it_is() -> None:
    merchant = Merchant(name="@@body@@ [body] {{ body }}", slug="x", address="@@reason@@", accent_color="#b3261e")

    html = fill_html(draft(subject="@@body@@", reason="Because."), layout_of(merchant))

    assert html.count("<strong>@@body@@ [body] {{ body }}</strong>") == 1
    assert html.count("Because.") == 1


@pytest.mark.parametrize("accent", ["#ffff00", "#ffffff", "#000000", "#0f62a8", "#7f7f7f"])
def test_buttons_stay_readable_in_any_colour(accent: str) -> None:
    from payorcrm.mail.layout import inline_styles
    from payorcrm.ui.colors import contrast, palette_of, rgb_of

    html = inline_styles('<td class="button"><a class="button-link" href="#">Pay</a></td>', accent)

    shades = palette_of(accent).light
    assert f"background-color: {shades.fill}" in inline_styles('<p class="button">x</p>', accent)
    assert f"color: {shades.on_fill}" in html
    assert contrast(rgb_of(shades.on_fill), rgb_of(shades.fill)) >= 4.5


def test_a_mail_of_no_merchant_carries_our_own_name(settings: Settings) -> None:
    html = fill_html(Draft(subject="x", html="<p>x</p>", text="x", merchant=None), layout_of(None))

    assert "PayorCRM" in html


def test_text_loses_what_template_tags_leave_behind() -> None:
    assert tidy_text("\n\n a  \n\n\n\n b\n\t\n") == "a\n\n b\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Saved\n\nNothing was charged. It\ncan be chosen.\n", "Nothing was charged. It can be chosen."),
        ("Wren named you in a note:\n\nPlease call them.\n", "Please call them."),
        ("Join us\n", "Join us"),
        ("", ""),
        ("word. " * 60, f"{'word. ' * 26}…"),
    ],
)
def test_an_inbox_shows_the_first_words_that_say_something(text: str, words: str) -> None:
    assert first_words(text) == words.replace(" …", "…")
