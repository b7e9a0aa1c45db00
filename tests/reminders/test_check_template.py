"""What a text is refused for and warned of, and that each place is named in words."""

import time

import pytest

from payorcrm.reminders.check_template import check_text
from payorcrm.reminders.default_template import STARTS
from payorcrm.reminders.templates import HasProblems, clean_text

PAY = "{{payment_buttons}}"


def problems(body: str, subject: str = "Hello") -> list[str]:
    return [problem.words for problem in check_text(subject, body) if not problem.is_warning]


def warnings(body: str) -> list[str]:
    return [problem.words for problem in check_text("Hello", body) if problem.is_warning]


@pytest.mark.parametrize("start", STARTS)
def test_nothing_is_to_be_said_about_our_own_texts(start: str) -> None:
    _, subject, body = STARTS[start]

    assert check_text(subject, body) == []


def test_an_unknown_field_is_named_with_its_place_and_the_field_that_was_meant() -> None:
    (words,) = problems(f"<p>Hello dear {{{{frist_name}}}}</p>{PAY}")

    assert words == (
        "In the text, after “Hello dear”: there is no field {{frist_name}}. Did you mean “First Name”, {{first_name}}?"
    )


def test_a_place_is_named_by_the_words_and_the_chips_before_it() -> None:
    (field,) = problems(f"<p>Dear {{{{first_name}}}},</p><p>about {{{{xyzzy}}}}</p>{PAY}")
    (picture,) = problems(f'<h1>Dear</h1><p>you <img src="https://a.example/logo.png"></p>{PAY}')

    assert field.startswith("In the text, after “Dear First Name, about”: ")
    assert "after “Dear you”" in picture


def test_every_unknown_field_is_named_at_once() -> None:
    assert len(problems("<p>{{frist_name}} {{lost_name}}</p>", subject="{{xyzzy}}")) == 3


def test_a_field_of_many_lines_does_not_fit_a_subject() -> None:
    (words,) = problems(PAY, subject="{{invoice_list}}")

    assert words.startswith("In the subject: ")


@pytest.mark.parametrize(
    "href",
    [
        "https://harbor.example/a?b=1&amp;c",
        "http://localhost:8000",
        "HTTPS://X.EXAMPLE",
        "mailto:a@b.example?subject=x",
        "tel:+1 (207) 555-0100",
    ],
)
def test_addresses_that_lead_somewhere_are_left_alone(href: str) -> None:
    assert problems(f'<p><a href="{href}">here</a></p>{PAY}') == []


@pytest.mark.parametrize(
    "href",
    [
        "",
        "www.harbor.example",
        "javascript:alert(1)",
        "https://",
        "https://harbor",
        "https:harbor.example",
        "https://a b.example",
        "https://[x",
        "https://a.example:port/",
        "mailto:jo",
        "tel:none",
        "#top",
        "ftp://a.example",
    ],
)
def test_a_link_that_leads_nowhere_is_refused_by_its_words(href: str) -> None:
    (words,) = problems(f'<p>See <a href="{href}"><b>our</b> prices</a></p>{PAY}')

    assert words.startswith("The link “our prices” ")


def test_a_picture_needs_an_address_and_a_description() -> None:
    described = '<p>Ours: <img src="https://a.example/logo.png" alt="Logo"></p>'

    assert problems(described + PAY) == []
    assert problems(described.replace(' alt="Logo"', "") + PAY)[0].startswith(
        "The picture “logo.png”, after “Ours:”, has no"
    )
    assert "no address" in problems(described.replace("https://a.example/", "") + PAY)[0]


@pytest.mark.parametrize("color", ["#999", "yellow", "rgb(150, 150, 150)", "#ffffff"])
def test_pale_text_is_refused(color: str) -> None:
    (words,) = problems(f'<p style="color: {color}">Now or <b>never</b></p>{PAY}'.replace("<b>never</b>", "never"))

    assert words.startswith("The text “Now or never” is hard to read")


@pytest.mark.parametrize(
    "style", ["color: #767676", "color: white; background-color: #7a0000", "font-size: 12px", "color: inherit"]
)
def test_readable_text_is_accepted(style: str) -> None:
    assert problems(f'<p style="{style}">Now</p>{PAY}') == []


def test_a_colour_counts_until_its_element_ends() -> None:
    assert len(problems(f'<p><span style="color: yellow"><b>Now</b></span> or never</p>{PAY}')) == 1


def test_large_headings_may_be_paler_than_text() -> None:
    assert problems(f'<h1 style="color: #8a8a8a">Now</h1>{PAY}') == []
    assert problems(f'<p style="color: #8a8a8a">Now</p>{PAY}') != []


def test_dark_text_warns_of_dark_mail_programs() -> None:
    assert warnings(f'<p style="color: #111">Now</p>{PAY}') == [
        "The text “Now” is hard to read for people whose mail program is dark."
    ]


def test_a_list_or_a_button_amid_a_sentence_is_warned_of() -> None:
    amid = "<p>See <b>what</b> {{invoice_list}} you owe, {% if first_name %}please{% endif %}.</p>" + PAY
    apart = "<p>See:</p>{{invoice_list}}<p>Dear {{first_name}}, pay</p>"

    (words,) = warnings(amid)
    assert words == (
        "In the text, after “See what”: “Invoice List” stands amid a sentence, which breaks there. "
        "Put it on a line of its own."
    )
    lines = (
        f"<p>Hello<br>{PAY}<BR/>Bye</p><p>&nbsp;{PAY}&nbsp;</p><p>Please pay: {PAY}</p><p>{PAY}{{{{invoice_list}}}}</p>"
    )
    for body in (apart + PAY, f"{apart}<p>{PAY}</p>", lines):
        assert warnings(body) == []


def test_missing_payment_links_are_a_warning_only() -> None:
    assert warnings("<p>Pay</p>")[0].startswith("There are no payment links")
    assert warnings("<p>Pay</p>{{card_payment_buttons}}") == []
    assert problems("<p>Pay</p>") == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{{",
        "<![x[y]]>",
        "<b>" * 12_000,
        "{% if first_name %}x",
        "{{first_name | nothing}}",
        '<a href="{{first_name}}">x</a>',
    ],
)
def test_what_cannot_be_read_is_one_problem(body: str) -> None:
    assert len(problems(body)) == 1


def test_a_text_with_problems_cannot_be_saved_and_all_are_said() -> None:
    with pytest.raises(HasProblems) as refusal:
        clean_text("Hello", '<p><a href="x">a</a><img src="https://a.example/b.png"></p>')

    assert len(refusal.value.problems) == 2


@pytest.mark.parametrize(
    "body", ["<" * 2_000_000, f"<a href='tel:{'0' * 49_000}x'>Call</a>"], ids=["long", "telephone"]
)
def test_a_text_made_to_keep_us_busy_does_not(body: str) -> None:
    began = time.process_time()

    found = check_text("Hello", body)

    assert found
    assert time.process_time() - began < 1
