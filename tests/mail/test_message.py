"""Every message is read back with Python's own parser: what went in comes out."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payorcrm.mail.drafts import Attachment
from payorcrm.mail.message import Envelope, NotAnAddress, write_message
from tests.factories.models import NOW

MAIL_ID = UUID("01a204aa-1958-7cdb-9a73-996d3fa956f5")


def envelope(**fields: Any) -> Envelope:
    defaults = {
        "message_id": MAIL_ID,
        "from_name": "Harbor Supply",
        "from_address": "billing@payorcrm.example",
        "to_name": "Jo Miller",
        "to_address": "jo@acme.example",
        "subject": "Reminder",
    }
    return Envelope(**(defaults | fields))


def written(text: str = "Hello\n", html: str = "<p>Hello</p>\n", **fields: Any) -> bytes:
    return write_message(envelope(**fields), text=text, html=html, at=NOW)


def read(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert message.defects == []
    return message


def shown_name(raw: bytes, header: str) -> str:
    """Return a display name as RFC 2047 wants it; the newer parser of Python 3.11 leaves spaces between words."""
    name, address = parseaddr(message_from_bytes(raw)[header].replace("\r\n", ""))
    assert address
    return str(make_header(decode_header(name)))


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    assert body.defects == []
    return str(body.get_content()).replace("\r\n", "\n")


def test_headers_say_who_writes_to_whom_about_what() -> None:
    message = read(written(reply_to="books@harbor.example"))

    assert message["From"] == '"Harbor Supply" <billing@payorcrm.example>'.replace('"', "")
    assert message["To"].addresses[0].display_name == "Jo Miller"
    assert message["To"].addresses[0].addr_spec == "jo@acme.example"
    assert message["Reply-To"] == "books@harbor.example"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == f"<{MAIL_ID}@payorcrm.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in message


def test_one_click_unsubscribe_is_announced_when_there_is_an_address() -> None:
    message = read(written(list_unsubscribe="https://pay.example/unsubscribe/abc/"))

    assert message["List-Unsubscribe"] == "<https://pay.example/unsubscribe/abc/>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "name",
    [
        'Zoë "The Hammer" O\'Neil',
        "Müller, Sons & Co.",
        "深圳市某某贸易有限公司" * 5,
        "🚲 Bikes",
        "back\\slash",
        "=?utf-8?B?x?=",
        "a" * 180,
    ],
)
def test_any_name_arrives_as_it_was(name: str) -> None:
    raw = written(from_name=name, to_name=name)

    assert [shown_name(raw, "From"), shown_name(raw, "To")] == [name, name]
    assert read(raw)["To"].addresses[0].addr_spec == "jo@acme.example"


@pytest.mark.parametrize(
    "subject", ["Überfällig: 1.150,00 €", "word " * 50, "x" * 290, "=?iso-8859-1?Q?a?=", "🎈" * 120]
)
def test_any_subject_arrives_as_it_was(subject: str) -> None:
    message = read(written(subject=subject))

    assert message["Subject"] == subject.strip()


def test_headers_stay_within_the_recommended_length() -> None:
    raw = written(subject="word " * 50, from_name="深圳" * 40)

    head = raw.split(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("field", ["from_name", "to_name", "subject"])
def test_a_line_break_in_a_name_makes_no_header(field: str) -> None:
    raw = written(**{field: "Jo\r\nBcc: everyone@acme.example\r\n\r\n<p>"})

    message = read(raw)
    assert "Bcc" not in message
    assert "Bcc: everyone@acme.example" in str(message["From"]) + str(message["To"]) + str(message["Subject"])


@pytest.mark.parametrize(
    "address",
    [
        "jo@acme.example\r\nBcc: x@y.example",
        "jo",
        "jo@",
        "@acme.example",
        "a b@acme.example",
        "jö@acme.example",
        "jo@a,b@c.example",
        "",
    ],
)
def test_an_address_that_cannot_be_written_safely_is_refused(address: str) -> None:
    with pytest.raises(NotAnAddress):
        written(to_address=address)


def test_a_domain_of_other_letters_is_written_in_ascii() -> None:
    assert read(written(to_address="jo@bücher.example"))["To"].addresses[0].addr_spec == "jo@xn--bcher-kva.example"


def test_both_parts_arrive_as_they_were() -> None:
    text, html = "Grüße •••• 0027\n.\n..dots\nFrom here\n", "<p>Grüße •••• 0027</p>\n<p>.</p>\n"

    message = read(written(text, html))

    assert part(message, "plain") == text
    assert part(message, "html") == html.replace("ü", "&#252;").replace("ß", "&#223;").replace("•", "&#8226;")
    assert [sub.get_content_type() for sub in message.iter_parts()] == ["text/plain", "text/html"]


def test_no_line_is_longer_than_servers_accept_and_none_ends_alone() -> None:
    raw = written("long " * 900 + "\n", "<p>" + "wide" * 900 + "</p>")

    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert part(read(raw), "html") == "<p>" + "wide" * 900 + "</p>"


printable = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.just("\n"), max_size=300)


@given(text=printable, name=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=60))
def test_any_text_and_name_survive(text: str, name: str) -> None:
    raw = written(text, f"<p>{name}</p>", to_name=name, subject=f"S{name}")

    message = read(raw)
    assert part(message, "plain") == text
    assert shown_name(raw, "To") == name
    assert message["Subject"] == f"S{name}"


def test_further_receivers_stand_in_the_headers() -> None:
    message = read(written(also_to=["ann@acme.example"], cc=["books@bücher.example", "cfo@acme.example"]))

    assert [address.addr_spec for address in message["To"].addresses] == ["jo@acme.example", "ann@acme.example"]
    assert [address.addr_spec for address in message["Cc"].addresses] == [
        "books@xn--bcher-kva.example",
        "cfo@acme.example",
    ]


@pytest.mark.parametrize("name", ["receipt.pdf", "Quittung für Müller & Söhne.pdf", "収据 " * 30 + ".pdf", 'a"b.pdf'])
def test_a_file_arrives_with_its_name_beside_the_text(name: str) -> None:
    content = bytes(range(256)) * 20
    raw = write_message(
        envelope(),
        text="Hello\n",
        html="<p>Hello</p>\n",
        at=NOW,
        attachments=[Attachment(name, "application/pdf", content)],
    )

    message = read(raw)
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == (name, "application/pdf", content)
    assert part(message, "plain") == "Hello\n"
    assert part(message, "html") == "<p>Hello</p>\n"
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_a_name_of_a_file_makes_no_header() -> None:
    file = Attachment("a.pdf\r\nBcc: everyone@acme.example", "application/pdf", b"x")

    message = read(write_message(envelope(), text="Hello\n", html="<p>", at=NOW, attachments=[file]))

    assert [part.get_filename() for part in message.iter_attachments()] == ["a.pdf Bcc: everyone@acme.example"]
    assert "Bcc" not in message
