"""Writes mails as bytes: RFC 5322 headers, a text part, an HTML part and perhaps files.

`email.message` takes longer for this than sending takes; the tests read every message back with it instead.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from payorcrm.core.errors import Refused
from payorcrm.mail.attach import file_part
from payorcrm.mail.drafts import Attachment

MAX_LINE = 990  # RFC 5322, section 2.1.1 allows 998
FOLD_AT = 76
# A line with encoded words may have 76 characters (RFC 2047, section 2); 36 bytes make 48, their frame has 12.
WORD_BYTES = 36


class NotAnAddress(Refused):
    """A mail cannot be addressed so that every mail server understands it."""

    code = "not_an_address"
    status: ClassVar[int] = 422
    message = "This is not an e-mail address that mail can be sent to."


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The headers of one mail, as text; names and subject may hold any character."""

    message_id: UUID
    from_name: str
    from_address: str
    to_name: str
    to_address: str
    subject: str
    also_to: Sequence[str] = ()
    cc: Sequence[str] = ()
    reply_to: str = ""
    list_unsubscribe: str = ""
    trace: str = ""  # a whole header line for the mail provider


def write_message(
    envelope: Envelope, *, text: str, html: str, at: datetime, attachments: Sequence[Attachment] = ()
) -> bytes:
    """Return the message with CRLF line ends and no line longer than the standard allows. Raises NotAnAddress."""
    head = "\r\n".join(_headers(envelope, _date(at.replace(microsecond=0)))).encode("ascii")
    body = _multipart("alternative", f"=_{envelope.message_id.hex}", [_text_part(text), _html_part(html)])
    if attachments:
        body = _multipart("mixed", f"=_files_{envelope.message_id.hex}", [body, *map(file_part, attachments)])
    return head + b"\r\n" + body


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    head = f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n'.encode()
    opening = f"\r\n--{boundary}\r\n".encode()
    closing = f"\r\n--{boundary}--\r\n".encode()
    return b"".join((head, *(piece for part in parts for piece in (opening, part)), closing))


def message_id_of(mail_id: UUID, from_address: str) -> str:
    """Return the Message-ID of a mail: the same however often it is sent."""
    return f"<{mail_id}@{_domain(from_address)}>"


def _headers(envelope: Envelope, date: str) -> list[str]:
    lines = [
        _mailbox("From", envelope.from_name, envelope.from_address),
        _mailbox("To", envelope.to_name, envelope.to_address) + "".join(map(_further, envelope.also_to)),
        _unstructured("Subject", envelope.subject),
        f"Date: {date}",
        f"Message-ID: {message_id_of(envelope.message_id, envelope.from_address)}",
    ]
    if envelope.cc:
        lines.append(_mailbox("Cc", "", envelope.cc[0]) + "".join(map(_further, envelope.cc[1:])))
    if envelope.reply_to:
        lines.append(f"Reply-To: {ascii_address(envelope.reply_to)}")
    if envelope.list_unsubscribe:
        lines.append(f"List-Unsubscribe: <{_address_of_page(envelope.list_unsubscribe)}>")
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    if envelope.trace:
        lines.append(envelope.trace)
    lines += [
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "MIME-Version: 1.0",
    ]
    return lines


@lru_cache(maxsize=8)
def _date(at: datetime) -> str:
    return format_datetime(at)


_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}\Z")


def ascii_address(address: str) -> str:
    """Return an address as it stands in headers and SMTP commands, its domain in ASCII. Raises NotAnAddress."""
    local, at, _ = address.rpartition("@")
    if not local.isascii():
        raise NotAnAddress(
            f"“{_one_line(address)}” has letters before the @ that many mail servers cannot deliver to. "
            "Please use another address of this person."
        )
    if not at or not _LOCAL_PART.match(local):
        raise NotAnAddress(f"“{_one_line(address)}” is not an e-mail address that mail can be sent to.")
    return f"{local}@{_domain(address)}"


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = ""
    if not _DOMAIN.match(domain):
        raise NotAnAddress(f"“{_one_line(address)}” does not name a mail server after the @.")
    return domain


def _address_of_page(url: str) -> str:
    if not url.isascii() or re.search(r"[\x00-\x20<>\x7f]", url):
        raise NotAnAddress(f"“{_one_line(url)}” is not an address of a page.")
    return url


_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u0085]+")


def _one_line(text: str) -> str:
    return " ".join(_CONTROLS.sub(" ", text).split())


def _mailbox(name: str, display_name: str, address: str) -> str:
    phrase = _phrase(display_name)
    if not phrase:
        return f"{name}: {ascii_address(address)}"
    line = f"{name}: {phrase} <{ascii_address(address)}>"
    return line if len(line) <= FOLD_AT else f"{name}: {phrase}\r\n <{ascii_address(address)}>"


def _further(address: str) -> str:
    """Continue a list of addresses; each has a line of its own, so that no line grows too long."""
    return f",\r\n {ascii_address(address)}"


@lru_cache(maxsize=1024)
def _phrase(display_name: str) -> str:
    clean = _one_line(display_name)
    if not clean.isascii() or "=?" in clean or len(clean) > 60:
        return _encoded_words(clean)
    escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if clean else ""


def _unstructured(name: str, value: str) -> str:
    clean = _one_line(value)
    if not clean.isascii() or "=?" in clean:
        return f"{name}: {_encoded_words(clean)}"
    line = f"{name}: {clean}"
    if len(line) <= FOLD_AT:
        return line
    words = _folded(line)
    return words if max(map(len, words.split("\r\n"))) <= FOLD_AT else f"{name}: {_encoded_words(clean)}"


def _folded(line: str) -> str:
    lines = [""]
    for word in line.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > FOLD_AT:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] or len(lines) > 1 else word
    return "\r\n".join(lines)


def _encoded_words(text: str) -> str:
    """Write text as base64 encoded words of UTF-8; no character is cut in two (RFC 2047, section 5)."""
    words = (base64.b64encode(chunk).decode() for chunk in _chunks(text))
    return "\r\n ".join(f"=?utf-8?B?{word}?=" for word in words)


def _chunks(text: str) -> Iterable[bytes]:
    chunk = b""
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(chunk) + len(encoded) > WORD_BYTES:
            yield chunk
            chunk = b""
        chunk += encoded
    yield chunk


def _text_part(text: str) -> bytes:
    return _part("text/plain", _with_crlf(text).encode("utf-8", "replace"))


def _html_part(html: str) -> bytes:
    # Character references keep the part in plain ASCII, which no server on the way has to convert.
    return _part("text/html", _with_crlf(html).encode("ascii", "xmlcharrefreplace"))


def _part(kind: str, body: bytes) -> bytes:
    if body.isascii() and b"\0" not in body and max(map(len, body.split(b"\r\n"))) <= MAX_LINE:
        encoding = b"7bit"
    else:
        encoding, body = b"quoted-printable", _quoted_printable(body)
    head = f'Content-Type: {kind}; charset="utf-8"\r\nContent-Transfer-Encoding: '.encode()
    return b"".join((head, encoding, b"\r\n\r\n", body))


def _quoted_printable(body: bytes) -> bytes:
    # The module chooses the line end of its soft breaks by the first line that it meets.
    return binascii.b2a_qp(b"\r\n" + body, istext=True)[2:]


def _with_crlf(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n")
