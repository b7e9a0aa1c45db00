"""Reading messages, from this program and from others."""

from payorcrm.demo.read_message import for_frame, read_message, sender_name

PLAIN = (
    b"From: =?utf-8?Q?B=C3=A4ckerei?= <a@b.example>\r\nTo: c@d.example\r\nSubject: Hi\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nOnly text\r\n"
)


def test_message_without_html_has_its_text():
    message = read_message(PLAIN)

    assert (message.html, message.text.strip()) == ("", "Only text")
    assert message.sender == "Bäckerei <a@b.example>"


def test_sender_is_known_from_the_head_by_name_else_by_address():
    assert sender_name(PLAIN[:60]) == "Bäckerei"
    assert sender_name(b"From: a@b.example\r\n\r\n") == "a@b.example"
    assert sender_name(b"Subject: nobody\r\n\r\n") == ""


def test_links_of_any_html_leave_the_frame():
    assert for_frame('<html><HEAD lang="en"><title>').startswith('<html><HEAD lang="en"><base target="_top">')
    assert '<base target="_top">' in for_frame("<p>no head</p>")
