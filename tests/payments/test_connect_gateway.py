"""Connecting a merchant to a processor, and when the connection may end."""

import pytest

from payorcrm.gateways.base import Credentials, GatewayUnavailable, KeysNotAccepted
from payorcrm.merchants.models import GatewayAccount
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.connect_gateway import (
    GatewayInUse,
    NotConnected,
    connect_gateway,
    connect_test_account,
    disconnect_gateway,
)
from payorcrm.payments.models import PaymentState
from tests.backoffice.rows import make_payment
from tests.factories.models import CustomerFactory, GatewayAccountFactory, MerchantFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db


def account_of(merchant) -> GatewayAccount | None:
    return GatewayAccount.objects.filter(merchant=merchant).first()


def test_one_press_opens_a_test_account_and_connects_it(sandbox):
    merchant = MerchantFactory()

    connect_test_account(merchant=merchant, name="sandbox")

    assert account_of(merchant).public_key.startswith("pk_sandbox_")


def test_a_second_press_connects_the_same_account(sandbox):
    merchant = MerchantFactory()

    first = connect_test_account(merchant=merchant, name="sandbox")
    second = connect_test_account(merchant=merchant, name="sandbox")

    assert first.credentials() == second.credentials()
    assert GatewayAccount.objects.count() == 1


def test_two_merchants_get_accounts_of_their_own(sandbox):
    keys = {connect_test_account(merchant=MerchantFactory(), name="sandbox").public_key for _ in range(2)}

    assert len(keys) == 2


def test_keys_are_stored_once_the_processor_takes_them(sandbox):
    known = connect_test_account(merchant=MerchantFactory(), name="sandbox").credentials()
    merchant = MerchantFactory()

    connect_gateway(merchant=merchant, name="sandbox", credentials=known)

    assert account_of(merchant).credentials() == known


@pytest.mark.parametrize("wrong", ["secret_key", "public_key"])
def test_keys_that_the_processor_refuses_are_not_stored(sandbox, wrong):
    known = connect_test_account(merchant=MerchantFactory(), name="sandbox").credentials()
    typed = {"public_key": known.public_key, "secret_key": known.secret_key, "webhook_secret": "whsec"}
    merchant = MerchantFactory()

    with pytest.raises(KeysNotAccepted):
        connect_gateway(merchant=merchant, name="sandbox", credentials=Credentials(**typed | {wrong: "wrong"}))

    assert account_of(merchant) is None


def test_nothing_is_stored_while_the_processor_is_away(settings):
    settings.SANDBOX_URL = "http://localhost:1"
    merchant = MerchantFactory()

    with pytest.raises(GatewayUnavailable):
        connect_gateway(merchant=merchant, name="sandbox", credentials=Credentials("pk", "sk", "whsec"))
    with pytest.raises(GatewayUnavailable):
        connect_test_account(merchant=merchant, name="sandbox")

    assert account_of(merchant) is None


def test_a_connection_that_nothing_hangs_on_is_ended():
    account = GatewayAccountFactory()
    other = GatewayAccountFactory()
    customer = CustomerFactory(merchant=account.merchant)
    make_payment(customer, state=PaymentState.SUCCEEDED)
    PaymentMethodFactory(customer=CustomerFactory(merchant=other.merchant))

    disconnect_gateway(merchant=account.merchant, name="sandbox")

    assert list(GatewayAccount.objects.all()) == [other]


def test_ending_what_is_not_connected_is_refused():
    with pytest.raises(NotConnected):
        disconnect_gateway(merchant=MerchantFactory(), name="sandbox")


def test_a_connection_stays_while_payments_are_under_way_and_methods_are_saved():
    account = GatewayAccountFactory()
    customer = CustomerFactory(merchant=account.merchant)
    for state in (PaymentState.SUBMITTING, PaymentState.PENDING, PaymentState.SUCCEEDED):
        make_payment(customer, state=state)
    PaymentMethodFactory(customer=customer)

    with pytest.raises(GatewayInUse) as refused:
        disconnect_gateway(merchant=account.merchant, name="sandbox")

    words = "2 payments are under way and 1 card or bank account is saved at this processor."
    assert str(refused.value) == f"The connection stays as it is: {words}"
    assert account_of(account.merchant)


def test_keys_of_another_account_do_not_replace_those_that_methods_hang_on(sandbox):
    merchant = MerchantFactory()
    first = connect_test_account(merchant=merchant, name="sandbox")
    other = connect_test_account(merchant=MerchantFactory(), name="sandbox").credentials()
    PaymentMethodFactory(customer=CustomerFactory(merchant=merchant))

    connect_gateway(merchant=merchant, name="sandbox", credentials=first.credentials())
    with pytest.raises(GatewayInUse):
        connect_gateway(merchant=merchant, name="sandbox", credentials=other)
    PaymentMethod.objects.all().delete()
    connect_gateway(merchant=merchant, name="sandbox", credentials=other)

    assert account_of(merchant).public_key == other.public_key
