"""What is left of a template's HTML."""

from time import perf_counter

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from payorcrm.reminders.fields import FieldMisplaced, TemplateMistake
from payorcrm.reminders.sanitize import sanitize


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello <b>Jo</b>,<br>how are you?</p>",
        '<a href="https://harbor.example/?a=1&amp;b=2" title="Us">us</a>',
        '<img src="https://harbor.example/x.png" alt="A boat" width="200">',
        '<p style="color: #a00; text-align: center">x</p>',
        "<ul><li>one</li><li>two</li></ul>",
        "<p>{% if first_name %}Hi &amp; welcome{% endif %} {{ last_name | default: &quot;x&quot; }}</p>".replace(
            "&quot;", '"'
        ),
        "<p>1 &lt; 2 &amp; 3 &gt; 2</p>",
        '<table><tbody><tr><td align="right">x</td></tr></tbody></table>',
    ],
)
def test_what_mails_may_contain_stays_as_it_is(source: str) -> None:
    assert sanitize(source) == source


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("<script>alert(1)</script><p>x</p>", "<p>x</p>"),
        ("<scr<script>ipt>alert(1)</script><p>x</p>", "ipt&gt;alert(1)<p>x</p>"),
        ('<p onclick="x()" class="card" id="a">x</p>', "<p>x</p>"),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href=" JaVaScript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="java\nscript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="data:text/html,x">x</a>', "<a>x</a>"),
        ('<img src=x onerror="alert(1)">', "<img>"),
        ('<p style="background: url(https://spy.example)">x</p>', "<p>x</p>"),
        ('<p style="width: expression(alert(1))">x</p>', "<p>x</p>"),
        ('<p style="position: fixed; color: red; top: 0">x</p>', '<p style="color: red">x</p>'),
        ('<p style="color: red; color: \\75 rl(x)">x</p>', '<p style="color: red">x</p>'),
        ("<style>p{display:none}</style><p>x</p>", "<p>x</p>"),
        ("<svg><script>x</script></svg><p>x</p>", "<p>x</p>"),
        ("<form action=/x><input name=a><button>go</button></form><p>x</p>", "<p>x</p>"),
        ("<iframe src=/x></iframe><p>x</p>", "<p>x</p>"),
        ("<!-- secret --><p>x</p><!--[if mso]>y<![endif]-->", "<p>x</p>"),
        ("<marquee>x</marquee>", "<p>x</p>"),
    ],
)
def test_what_could_harm_is_taken_away(source: str, left: str) -> None:
    assert sanitize(source) == left


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("</td></tr></table><p>x</p>", "<p>x</p>"),
        ("<b><i>x", "<b><i>x</i></b>"),
        ("<p>one<p>two", "<p>one</p><p>two</p>"),
        ("<b>x</i></b>y</b>", "<b>x</b>y"),
        ("<ul><li>one<li>two</ul>", "<ul><li>one</li><li>two</li></ul>"),
    ],
)
def test_the_result_is_balanced_so_that_it_cannot_leave_the_layout(source: str, left: str) -> None:
    assert sanitize(source) == left


def test_text_without_tags_becomes_paragraphs() -> None:
    assert (
        sanitize("Hello {{first_name}}\n\nlate & sorry\nJo")
        == "<p>Hello {{first_name}}</p>\n<p>late &amp; sorry<br>Jo</p>"
    )


def test_a_list_alone_in_a_paragraph_leaves_it() -> None:
    assert sanitize("<p>a</p><p>{{ invoice_list }}</p><p>b {{invoice_list}}</p>") == (
        "<p>a</p>{{ invoice_list }}<p>b {{invoice_list}}</p>"
    )


def test_a_field_inside_a_tag_is_refused() -> None:
    with pytest.raises(FieldMisplaced, match="only between tags"):
        sanitize('<a href="{{login_register}}">x</a>')


def test_braces_written_as_references_do_not_become_a_field() -> None:
    assert "{{" not in sanitize("<p>&#123;&#123;first_name}} &#123;% if x %}</p>")


pieces = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<script>",
            "</script>",
            "<table>",
            "<td onclick=x>",
            "</b>",
            "<b>",
            "{{first_name}}",
            "<a href='javascript:x'>",
            "&lt;",
            "<!--",
            "-->",
            "x",
            "<svg",
            "onload=x>",
            "<style>",
            "{% if x %}",
        ]
    )
).map("".join)


@given(source=pieces)
def test_nothing_that_runs_survives_and_a_second_pass_changes_nothing(source: str) -> None:
    try:
        once = sanitize(source)
    except TemplateMistake:
        reject()

    assert (
        not any(word in once.lower() for word in ("<script", "onload=x>", "onclick", "<svg", "<style", "href", "<!--"))
        or "&lt;" in once
    )
    assert sanitize(once) == once


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<p>x</p>\n" + "<b>" * 1_500 + "x", "Line 2: more than 50"),
        ("<b>" * 12_000, "more than 2,000 HTML tags"),
        ("<div>" * 51, "more than 50"),
        ("<br>" * 2_001, "more than 2,000 HTML tags"),
        ("<svg>" * 12_000, "more than 2,000 HTML tags"),
        ("x\n<a " * 1_900, "Line 2: an HTML tag begins"),
        ("<a " * 16_000, "HTML tags"),
        ("</" * 25_000, "HTML tags"),
        ("<p>x</p><!-- x", "does not end"),
        ("<![foo[x]]>", "cannot be used"),
    ],
)
def test_hostile_html_is_refused_at_once(source: str, reason: str) -> None:
    started = perf_counter()

    with pytest.raises(TemplateMistake, match=reason):
        sanitize(source)

    assert perf_counter() - started < 1


def test_elements_may_stand_in_each_other() -> None:
    assert sanitize("<div>" * 50) == "<div>" * 50 + "</div>" * 50
