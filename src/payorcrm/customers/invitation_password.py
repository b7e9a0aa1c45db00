"""The password of an invitation: derived from the link key, readable, never stored; the row keeps a digest of it.

A slow digest protects passwords that people choose. These are 80 random bits, which nobody runs through, so that a fast
keyed one is right: it costs nothing to make five thousand, or to compare one at a sign-in.
"""

import hmac
import re
from uuid import UUID

from payorcrm.core.crypto import keyed_digest, keyed_digests
from payorcrm.core.errors import Refused
from payorcrm.core.ids import READABLE_ALPHABET
from payorcrm.customers.models import Invitation

_LETTERS = READABLE_ALPHABET.lower()
_LENGTH = 16
_GROUP = 4
# What people type for the letters that the alphabet leaves out because they look like digits.
_LOOK_ALIKES = str.maketrans({"o": "0", "i": "1", "l": "1"})
_NOT_TYPED = re.compile(r"[^0-9a-z]")


class PasswordKeyLost(Refused):
    """The key under which an invitation was made was taken out of LINK_KEYS, which ends the invitation."""

    code = "password_key_lost"
    message = "The link key of this invitation is not configured any more. Invite the customer again."


def new_password(invitation_id: UUID, refresh_count: int) -> str:
    """Derive the password of an invitation, as of one refreshing, under the first link key."""
    return _password_from(keyed_digest("invitation", _message(invitation_id, refresh_count)))


def password_of(invitation: Invitation) -> str:
    """Derive the password again, under the key that was first when it was made. Raises PasswordKeyLost."""
    for digest in keyed_digests("invitation", _message(invitation.id, invitation.refresh_count)):
        password = _password_from(digest)
        if fits(invitation, password):
            return password
    raise PasswordKeyLost


def password_digest(password: str) -> bytes:
    """Return what the database keeps of a password."""
    return keyed_digest("invitation-password", _as_typed(password))


def password_digests(password: str) -> list[bytes]:
    """Return what the database may keep of a password, under every link key."""
    return keyed_digests("invitation-password", _as_typed(password))


def fits(invitation: Invitation, password: str) -> bool:
    """Say whether a password is the invitation's, in a time that tells nothing."""
    kept = bytes(invitation.password_digest)
    return any(hmac.compare_digest(kept, digest) for digest in password_digests(password))


def _password_from(digest: bytes) -> str:
    number = int.from_bytes(digest[:10], "big")
    letters = "".join(_LETTERS[number >> 5 * place & 31] for place in range(_LENGTH))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _message(invitation_id: UUID, refresh_count: int) -> bytes:
    return invitation_id.bytes + refresh_count.to_bytes(4, "big")


def _as_typed(password: str) -> bytes:
    """Forgive capitals, spaces, missing dashes and look-alikes."""
    return _NOT_TYPED.sub("", password.lower()).translate(_LOOK_ALIKES).encode()
