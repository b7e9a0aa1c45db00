"""The token and the six digits of a confirmation: derived from the link key, never stored."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from payorcrm.core.crypto import keyed_digest, keyed_digests
from payorcrm.core.errors import Refused
from payorcrm.payments.models import Confirmation


class LinkKeyLost(Refused):
    """The key under which a confirmation was made was taken out of LINK_KEYS, which ends the confirmation."""

    code = "link_key_lost"
    status: ClassVar[int] = 410
    message = _("Nothing was charged: this confirmation has ended. Please press the button in the first mail again.")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the confirmation mail carries and the database does not."""

    token: str
    code: str


def new_secrets(confirmation_id: UUID) -> Secrets:
    """Derive the secrets of a new confirmation under the first link key."""
    return _secrets_from(keyed_digest("confirmation", confirmation_id.bytes))


def secrets_of(confirmation: Confirmation) -> Secrets:
    """Derive the secrets again, under the key that was first when the confirmation was made. Raises LinkKeyLost."""
    for digest in keyed_digests("confirmation", confirmation.id.bytes):
        secrets = _secrets_from(digest)
        if token_digest(secrets.token) == bytes(confirmation.token_digest):
            return secrets
    raise LinkKeyLost


def has_secrets(confirmation: Confirmation) -> bool:
    """Say whether the key of a confirmation is still configured."""
    try:
        secrets_of(confirmation)
    except LinkKeyLost:
        return False
    return True


def token_digest(token: str) -> bytes:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def _secrets_from(digest: bytes) -> Secrets:
    return Secrets(token=digest[:20].hex(), code=f"{int.from_bytes(digest[20:], 'big') % 1_000_000:06d}")
