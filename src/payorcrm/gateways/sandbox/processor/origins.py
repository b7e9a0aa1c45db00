"""Origins: where an account's pages may frame the fields, and where payers may be sent back to."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})


def origin_of(url: str) -> str:
    """Return scheme, host and port of a web address; empty when it is none."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return ""
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def is_allowed(origin: str, allowed: Iterable[str]) -> bool:
    """Say whether an origin is among the allowed ones; the names of this machine are one."""
    return bool(origin) and _named_alike(origin) in {_named_alike(each) for each in allowed}


def _named_alike(origin: str) -> str:
    scheme, _, rest = origin.partition("://")
    match = re.fullmatch(r"(\[.*?\]|[^:]*)(:\d+)?", rest)
    if match and match[1] in _THIS_MACHINE:
        return f"{scheme}://localhost{match[2] or ''}"
    return origin
