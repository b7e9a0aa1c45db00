"""Writes a file as a part of a mail."""

import base64
import re
from urllib.parse import quote

from payorcrm.mail.drafts import Attachment

_RISKY = re.compile(r"[^A-Za-z0-9._ -]")
_NO_NAME = re.compile(r"[\x00-\x1f\x7f/\\]+")
# A percent-encoded character is not cut in two.
_CHUNKS = re.compile(r"(?:%[0-9A-F]{2}|[^%]){1,16}")


def file_part(attachment: Attachment) -> bytes:
    """Return a file as base64 with its name, whatever letters that has (RFC 2183; RFC 2231, section 4.1)."""
    name = _NO_NAME.sub(" ", attachment.file_name).strip() or "file"
    head = [
        f"Content-Type: {attachment.content_type}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: attachment;\r\n {_name_parameter(name)}",
    ]
    body = base64.encodebytes(attachment.content).replace(b"\n", b"\r\n")
    return "\r\n".join(head).encode("ascii") + b"\r\n\r\n" + body


def _name_parameter(name: str) -> str:
    if len(name) <= 60 and not _RISKY.search(name):
        return f'filename="{name}"'
    encoded = quote(name.encode("utf-8", "replace"), safe="")
    chunks = ["UTF-8''", *_CHUNKS.findall(encoded)]
    return ";\r\n ".join(f"filename*{place}*={chunk}" for place, chunk in enumerate(chunks))
