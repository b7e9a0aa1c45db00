"""Rotating the encryption keys leaves every value readable with the new key alone."""

from cryptography.fernet import Fernet

from payorcrm.core.rotate_keys import rotate_keys
from payorcrm.merchants.models import GatewayAccount
from payorcrm.payment_methods.models import PaymentMethod
from tests.factories.models import GatewayAccountFactory, PaymentMethodFactory


def test_after_rotation_the_old_key_can_be_taken_away(db, settings):
    account, method = GatewayAccountFactory(secret_key="sk_secret"), PaymentMethodFactory(token="pm_token")
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]

    count = rotate_keys()
    settings.ENCRYPTION_KEYS = [new]

    assert count == 3
    assert GatewayAccount.objects.get(id=account.id).secret_key == "sk_secret"
    assert PaymentMethod.objects.get(id=method.id).token == "pm_token"
