"""Sealed values survive a change of keys, and nobody without a key makes a digest."""

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from payorcrm.core.crypto import CannotDecrypt, decrypt, encrypt, keyed_digest, keyed_digests, rotate
from payorcrm.merchants.models import GatewayAccount
from tests.factories.models import GatewayAccountFactory

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_an_old_key_sealed_opens_while_the_old_key_is_listed(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = encrypt(b"secret")

    settings.ENCRYPTION_KEYS = [NEW, OLD]

    assert decrypt(sealed) == b"secret"


def test_rotated_values_need_the_new_key_only(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = encrypt(b"secret")
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    sealed = rotate(sealed)

    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypt(sealed) == b"secret"


def test_without_its_key_a_value_stays_closed(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = encrypt(b"secret")
    settings.ENCRYPTION_KEYS = [NEW]

    for attempt in (decrypt, rotate):
        with pytest.raises(CannotDecrypt):
            attempt(sealed)


def test_a_changed_value_stays_closed(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = bytearray(encrypt(b"secret"))
    sealed[20] ^= 1

    with pytest.raises(CannotDecrypt):
        decrypt(bytes(sealed))


def test_digests_differ_by_purpose_message_and_key(settings):
    settings.LINK_KEYS = ["one", "two"]

    made = {keyed_digest("a", b"x"), keyed_digest("b", b"x"), keyed_digest("a", b"y"), *keyed_digests("a", b"x")}

    assert len(made) == 4
    assert all(len(digest) == 32 for digest in made)


def test_a_digest_made_before_a_rotation_is_still_recognised(settings):
    settings.LINK_KEYS = ["old"]
    digest = keyed_digest("links", b"message")

    settings.LINK_KEYS = ["new", "old"]

    assert digest in keyed_digests("links", b"message")
    assert digest != keyed_digest("links", b"message")


@pytest.mark.django_db
def test_an_encrypted_column_is_sealed_in_the_table_and_plain_in_python():
    account = GatewayAccountFactory(secret_key="sk_plain")

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret_key FROM merchants_gatewayaccount WHERE id = %s", [account.id])
        (stored,) = cursor.fetchone()

    assert b"sk_plain" not in bytes(stored)
    assert GatewayAccount.objects.get(id=account.id).secret_key == "sk_plain"
