"""The token and the six digits of a confirmation: derived from the link key, never stored."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from payorcrm.core.crypto import keyed_digest, keyed_digests
from payorcrm.core.errors import Inconsistent
from payorcrm.payments.models import Confirmation


class LinkKeyLost(Inconsistent):
    """The key under which an open confirmation was made is no longer among LINK_KEYS."""

    code = "link_key_lost"
    message = "The key of this confirmation is not configured any more."


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


def token_digest(token: str) -> bytes:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def _secrets_from(digest: bytes) -> Secrets:
    return Secrets(token=digest[:20].hex(), code=f"{int.from_bytes(digest[20:], 'big') % 1_000_000:06d}")
