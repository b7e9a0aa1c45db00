"""Field encryption and keyed digests. Keys come from the settings; the first one writes, all of them read."""

import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from payorcrm.core.errors import Inconsistent


class CannotDecrypt(Inconsistent):
    """No configured key opens an encrypted column."""

    code = "cannot_decrypt"
    message = "An encrypted value cannot be read with the configured ENCRYPTION_KEYS."


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plain: bytes) -> bytes:
    """Seal bytes with the first of `ENCRYPTION_KEYS`."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(plain)


def decrypt(sealed: bytes) -> bytes:
    """Open bytes sealed with any of `ENCRYPTION_KEYS`. Raises CannotDecrypt."""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(sealed)
    except InvalidToken as error:
        raise CannotDecrypt from error


def rotate(sealed: bytes) -> bytes:
    """Seal again with the first key what any key had sealed. Raises CannotDecrypt."""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).rotate(sealed)
    except InvalidToken as error:
        raise CannotDecrypt from error


def keyed_digest(purpose: str, message: bytes) -> bytes:
    """Return 32 bytes that only a holder of the first link key can compute (HMAC-SHA256, one key a purpose)."""
    return hmac.digest(_purpose_key(purpose, settings.LINK_KEYS[0]), message, "sha256")


def keyed_digests(purpose: str, message: bytes) -> list[bytes]:
    """Return the digest under every link key, newest first, to check one made before a rotation."""
    return [hmac.digest(_purpose_key(purpose, key), message, "sha256") for key in settings.LINK_KEYS]


@cache
def _purpose_key(purpose: str, key: str) -> bytes:
    return hashlib.sha256(f"{purpose}:{key}".encode()).digest()


class EncryptedTextField(models.BinaryField):  # type: ignore[type-arg]
    """Text that is sealed in the database and plain in Python."""

    def from_db_value(self, value: bytes | None, expression: object, connection: object) -> str | None:
        return None if value is None else decrypt(bytes(value)).decode()

    def get_prep_value(self, value: str | None) -> bytes | None:
        return None if value is None else encrypt(value.encode())

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))

    def to_python(self, value: str | None) -> str | None:
        return value
