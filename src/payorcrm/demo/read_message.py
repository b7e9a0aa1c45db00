"""Reads messages as a mail client does: headers, the text part, the HTML part."""

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
# Links leave the frame: they open in the tab that shows the mailbox, as those of a mail client leave the mail.
_LEAVE_FRAME = '<base target="_top">'


@dataclass(frozen=True, slots=True)
class Message:
    """One message, its parts decoded; a part that it does not have is empty."""

    sender: str
    recipient: str
    subject: str
    headers: list[tuple[str, str]]
    html: str
    text: str


def read_message(raw: bytes) -> Message:
    """Return what is in a message."""
    parsed = BytesParser(policy=default).parsebytes(raw)
    return Message(
        sender=str(parsed["From"] or ""),
        recipient=str(parsed["To"] or ""),
        subject=str(parsed["Subject"] or ""),
        headers=[(name, str(value)) for name, value in parsed.items()],
        html=_part(parsed, "html"),
        text=_part(parsed, "plain"),
    )


def sender_name(head: bytes) -> str:
    """Return who a message is from, by name or else by address; its first few thousand bytes are enough."""
    sender = BytesParser(policy=default).parsebytes(head, headersonly=True)["From"]
    addresses: tuple[Address, ...] = getattr(sender, "addresses", ())
    return addresses[0].display_name or addresses[0].addr_spec if addresses else str(sender or "")


def for_frame(html: str) -> str:
    """Return an HTML part whose links open outside the frame that shows it."""
    head = _HEAD.search(html)
    if head is None:
        return f"<!doctype html><head>{_LEAVE_FRAME}</head>{html}"
    return html[: head.end()] + _LEAVE_FRAME + html[head.end() :]


def _part(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    return str(part.get_content()) if part else ""
