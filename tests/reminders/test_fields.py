"""What a template may contain, and how a mistake is explained."""

from time import perf_counter

import pytest

from payorcrm.reminders.fields import (
    MERGE_FIELDS,
    FieldMisplaced,
    TemplateMistake,
    TemplateRefused,
    UnknownField,
    check_body,
    check_subject,
    parse,
)


def test_all_fields_of_the_requirement_are_known() -> None:
    assert set(MERGE_FIELDS) == {
        "first_name",
        "last_name",
        "customer_company_name",
        "invoice_list",
        "total_invoice_amount",
        "payment_buttons",
        "card_payment_buttons",
        "bank_payment_buttons",
        "statement_pdf",
        "invoice_pdfs",
        "statement_summary",
        "login_register",
    }
    check_body(" ".join(f"{{{{{name}}}}}" for name in MERGE_FIELDS))


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("first_nam", "first_name"),
        ("firstname", "first_name"),
        ("FirstName", "first_name"),
        ("company_name", "customer_company_name"),
        ("invoices_list", "invoice_list"),
        ("total_amount", "total_invoice_amount"),
        ("payment_links", "payment_buttons"),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_one(written: str, nearest: str) -> None:
    with pytest.raises(UnknownField) as refusal:
        check_body(f"<p>Hello</p>\n<p>{{{{{written}}}}}</p>")

    assert str(refusal.value) == f"Line 2: there is no field “{written}”. Did you mean {{{{{nearest}}}}}?"


def test_an_unknown_field_that_resembles_nothing_gets_the_list() -> None:
    with pytest.raises(UnknownField, match="The fields are first_name, last_name"):
        check_body("{{zzz}}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ first_name",
        "{% if first_name %}",
        "{% endif %}",
        "{{ first_name | }}",
        "{% if %}x{% endif %}",
        "{{ first_name last_name }}",
        "{{ first_name.x }}",
    ],
)
def test_a_mistake_is_refused_with_its_line(source: str) -> None:
    with pytest.raises(TemplateMistake, match=r"^Line 3: "):
        check_body(f"one\ntwo\n{source}")


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'secrets' %}",
        "{% render 'secrets' %}",
        "{% for i in (1..1000000000) %}x{% endfor %}",
        "{% tablerow i in (1..9) %}x{% endtablerow %}",
        "{% assign x = 'y' %}",
        "{% capture x %}y{% endcapture %}",
        "{% liquid echo 'x' %}",
        "{% cycle 'a', 'b' %}",
        "{% increment x %}",
        "{{ first_name | append: 'x' }}",
        "{{ first_name | times: 99999999 }}",
        "{{ first_name | safe }}",
        "{{ first_name | url_decode }}",
        "{{ 'now' | date: '%Y' }}",
    ],
)
def test_the_environment_is_closed(source: str) -> None:
    with pytest.raises(TemplateRefused):
        check_body(source)


@pytest.mark.parametrize("source", ["{{ invoice_list | upcase }}", "{{payment_buttons|downcase}}"])
def test_blocks_cannot_be_bent_by_filters(source: str) -> None:
    with pytest.raises(FieldMisplaced):
        check_body(source)


def test_a_subject_has_room_for_text_only() -> None:
    check_subject("{{total_invoice_amount}} for {{ customer_company_name | upcase }}")

    with pytest.raises(FieldMisplaced, match="belongs into the body"):
        check_subject("{{invoice_list}}")


@pytest.mark.parametrize(
    ("source", "is_plain"),
    [
        ("Hello {{first_name}}, {{- last_name -}} !", True),
        ("{{ first_name | upcase }}", False),
        ("{% if first_name %}Hi{% endif %}", False),
    ],
)
def test_plain_templates_are_told_from_others(source: str, is_plain: bool) -> None:  # noqa: FBT001
    assert parse(source).is_plain is is_plain


@pytest.mark.parametrize(
    "source",
    [
        '{{ "<b>" }}',
        '{{ "x" }}',
        "{{ nil }}",
        "{{ }}",
        '{{ first_name | default: "<b>" }}',
        '{{ first_name | default: "< " | strip }}b>',
        '{{ first_name | default: "\\u003cb>" }}',
        "{% raw %}{{ <script>x</script> }}{% endraw %}",
        "{% doc %}{{ first_name }}{% enddoc %}",
        '{% if first_name == "<b>" %}x{% endif %}',
    ],
)
def test_no_markup_hides_in_a_field_or_a_condition(source: str) -> None:
    with pytest.raises(TemplateRefused):
        check_body(source)


def test_conditions_may_compare() -> None:
    check_body('{% if first_name < last_name and first_name <> "x" %}{{ first_name | default: "you" }}{% endif %}')


@pytest.mark.parametrize(
    "source",
    [
        "{{" * 25_000,
        "{%" * 25_000,
        "{{" + " " * 50_000 + "}}",
        "{% if" + " " * 50_000 + "%}",
        "{% comment %}" + "{% endcomment " * 3_000,
        "{% # <a" + " <a" * 16_000 + "%}",
        "{{first_name}}" * 3_500,
        "{% if " + "(" * 20_000 + " %}",
        "{% raw %}" * 5_000,
    ],
)
def test_a_hostile_template_is_refused_at_once(source: str) -> None:
    started = perf_counter()

    with pytest.raises(TemplateMistake):
        check_body(source)

    assert perf_counter() - started < 1
