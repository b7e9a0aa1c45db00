"""Short signed tokens for links: what they name, when they were made, and nobody else can make them."""

import base64
import binascii
import hmac
from datetime import UTC, datetime

from django.utils.translation import gettext_lazy as _

from payorcrm.core.crypto import keyed_digest, keyed_digests
from payorcrm.core.errors import Refused

_SIGNATURE_BYTES = 16
_TIME_BYTES = 4


class NotGenuine(Refused):
    """A token in an address was not made by us, or was changed or cut off on its way."""

    code = "not_genuine"
    status = 404
    message = _("This link is not complete. Please open it again from the mail, or copy all of it.")


def sign(purpose: str, payload: bytes, *, now: datetime) -> str:
    """Return an address-safe token of payload, time (seconds) and a 128-bit signature under the first link key."""
    signed = payload + int(now.timestamp()).to_bytes(_TIME_BYTES, "big")
    signature = keyed_digest(purpose, signed)[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(signed + signature).rstrip(b"=").decode()


def open_signed(purpose: str, token: str) -> tuple[bytes, datetime]:
    """Return the payload of a token and when it was made. Raises NotGenuine."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotGenuine from None
    signed, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    expected = [digest[:_SIGNATURE_BYTES] for digest in keyed_digests(purpose, signed)]
    if len(signed) < _TIME_BYTES or not any(hmac.compare_digest(signature, digest) for digest in expected):
        raise NotGenuine
    made_at = datetime.fromtimestamp(int.from_bytes(signed[-_TIME_BYTES:], "big"), UTC)
    return signed[:-_TIME_BYTES], made_at
