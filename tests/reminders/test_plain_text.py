"""The text part that a template's HTML becomes."""

from payorcrm.reminders.plain_text import text_of


def test_structure_becomes_blank_lines_dashes_and_addresses() -> None:
    html = (
        "<h1>{{total_invoice_amount}} is due</h1><p>Hello   {{first_name}},<br>\nplease &amp; thanks</p>"
        '<ul><li>one</li><li>two</li></ul><p>See <a href="https://harbor.example/">our page</a> or '
        '<a href="mailto:books@harbor.example">write</a>. {{login_register}}</p>{{invoice_list}}'
    )

    assert text_of(html) == (
        "{{total_invoice_amount}} is due\n\nHello {{first_name}},\nplease & thanks\n\n- one\n- two\n\n"
        "See our page (https://harbor.example/) or write (books@harbor.example)."
        "\n\n{{login_register}}\n\n{{invoice_list}}\n"
    )


def test_conditions_stay_as_they_are() -> None:
    assert text_of("<p>{% if first_name %}Hi{% endif %}</p>") == "{% if first_name %}Hi{% endif %}\n"
