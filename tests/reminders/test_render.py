"""Templates filled in: cut open once, or rendered each time, with the same result."""

from html import escape

import pytest

from payorcrm.reminders.fields import MERGE_FIELDS
from payorcrm.reminders.render import Values, compile_template

ACCENT = "#0f62a8"


def values(**given: str) -> Values:
    text = dict.fromkeys(MERGE_FIELDS, "") | given
    return Values(html={name: escape(value) for name, value in text.items()}, text=text)


def test_values_are_escaped_in_html_and_plain_in_text_and_subject() -> None:
    compiled = compile_template("For {{first_name}}", "<p>Hello {{first_name}}</p>", ACCENT)

    written = compiled.write(values(first_name='<b>"Jo"</b>'))

    assert written.subject == 'For <b>"Jo"</b>'
    assert ">Hello &lt;b&gt;&quot;Jo&quot;&lt;/b&gt;</p>" in written.html
    assert written.text == 'Hello <b>"Jo"</b>\n'


@pytest.mark.parametrize(
    ("first_name", "last_name", "greeting"),
    [
        ("Jo", "Miller", "Hello Jo Miller, hi"),
        ("", "Miller", "Hello Miller, hi"),
        ("Jo", "", "Hello Jo, hi"),
        ("", "", "Hello, hi"),
    ],
)
@pytest.mark.parametrize("condition", ["", "{% if total_invoice_amount %}{% endif %}"])
def test_a_missing_name_leaves_no_gap(first_name: str, last_name: str, greeting: str, condition: str) -> None:
    compiled = compile_template("x", f"<p>Hello {{{{first_name}}}} {{{{last_name}}}}, hi</p>{condition}", ACCENT)

    written = compiled.write(values(first_name=first_name, last_name=last_name, total_invoice_amount="$5.00"))

    assert written.text == f"{greeting}\n"
    assert f">{greeting}</p>" in written.html


def test_conditions_and_defaults_see_a_missing_name_as_missing() -> None:
    body = (
        '<p>{% if first_name %}Hi {{first_name}}{% else %}Good day{% endif %}, {{ last_name | default: "friend" }}</p>'
    )

    assert compile_template("x", body, ACCENT).write(values()).text == "Good day, friend\n"
    assert compile_template("x", body, ACCENT).write(values(first_name="Jo")).text == "Hi Jo, friend\n"


def test_the_body_gets_the_styles_of_mails_either_way() -> None:
    plain = compile_template("x", "<h1>{{first_name}}</h1>", ACCENT).write(values(first_name="Jo")).html
    rendered = compile_template("x", "<h1>{{ first_name | strip }}</h1>", ACCENT).write(values(first_name="Jo")).html

    assert plain == rendered
    assert 'style="margin: 0 0 16px;font-size: 24px' in plain


def test_a_paragraph_of_a_missing_block_alone_goes_with_it() -> None:
    body = "<p>Before</p><p>{{login_register}}</p><p> </p><p>{{first_name}}</p>"

    written = compile_template("x", body, ACCENT).write(values(first_name="Jo"))

    assert written.html.count("<p ") == 3
    assert written.text == "Before\n\nJo\n"


def test_a_condition_sees_a_missing_block_as_missing() -> None:
    body = "<p>{% if login_register %}Or: {{login_register}}{% else %}Thank you.{% endif %}</p>"

    assert compile_template("x", body, ACCENT).write(values()).text == "Thank you.\n"
    assert compile_template("x", body, ACCENT).write(values(login_register="Sign in")).text == "Or:\n\nSign in\n"


@pytest.mark.parametrize("condition", ["", "{% if first_name %}{% endif %}"])
@pytest.mark.parametrize("odd", ["@@vip@@", "@@invoice_list@@", "[first_name]"])
def test_what_looks_like_a_mark_is_printed_as_it_is(odd: str, condition: str) -> None:
    compiled = compile_template(odd, f"<p>Hello {odd} {{{{first_name}}}}</p>{condition}{{{{invoice_list}}}}", ACCENT)

    written = compiled.write(values(first_name="@@invoice_list@@", invoice_list="LIST"))

    assert written.subject == odd
    assert written.text == f"Hello {odd} @@invoice_list@@\n\nLIST\n"
    assert f">Hello {odd} @@invoice_list@@</p>" in written.html
