"""Verifies and reads what the processor sends by itself."""

import hmac
import json
import re
from collections.abc import Mapping

from payorcrm.gateways.base import GatewayEvent, WebhookNotGenuine
from payorcrm.gateways.sandbox.translate import event

TOLERANCE_SECONDS = 300

_SIGNED = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})", re.ASCII)


def read_webhook(headers: Mapping[str, str], body: bytes, *, secret: str, now: float) -> GatewayEvent:
    """Return the event whose signature fits and is at most five minutes old. Raises WebhookNotGenuine."""
    signed = next((value for name, value in headers.items() if name.lower() == "sandbox-signature"), "")
    match = _SIGNED.fullmatch(signed)
    if not match:
        raise WebhookNotGenuine("The signature is missing.")
    expected = hmac.digest(secret.encode(), match[1].encode() + b"." + body, "sha256").hex()
    if not hmac.compare_digest(expected, match[2]):
        raise WebhookNotGenuine
    if abs(now - int(match[1])) > TOLERANCE_SECONDS:
        raise WebhookNotGenuine("The signature is too old.")
    return _parsed(body)


def _parsed(body: bytes) -> GatewayEvent:
    try:
        text = body.decode()
        return event(json.loads(text), text)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise WebhookNotGenuine("The body is no event.") from None
