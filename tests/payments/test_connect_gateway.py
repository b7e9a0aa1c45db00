"""Connecting a merchant to a processor, and when the connection may end."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import pytest
from django.db import connection, transaction

from payorcrm.gateways.base import Credentials, GatewayUnavailable, KeysNotAccepted
from payorcrm.gateways.sandbox.gateway import SandboxGateway
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import GatewayAccount
from payorcrm.merchants.queries import CannotTakePayments, hold_gateway_account
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.save import save_once
from payorcrm.payments.collect import collect
from payorcrm.payments.connect_gateway import (
    GatewayInUse,
    NotConnected,
    accounts_without_id,
    connect_gateway,
    connect_test_account,
    disconnect_gateway,
    learn_id,
)
from payorcrm.payments.models import Payment, PaymentState, Refund
from payorcrm.payments.refund import CannotRefund, RefundOrder, refund
from payorcrm.payments.reserve import MethodNotUsable
from tests.backoffice.rows import make_payment
from tests.factories.models import (
    NOW,
    CustomerFactory,
    GatewayAccountFactory,
    InvoiceFactory,
    MerchantFactory,
    PaymentMethodFactory,
    usd,
)
from tests.payments.kit import order_for

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


def test_new_keys_of_the_same_account_replace_the_old_ones_whatever_hangs_on_it(sandbox):
    merchant = MerchantFactory()
    account = connect_test_account(merchant=merchant, name="sandbox")
    keys = account.credentials()
    # As if the processor had given out new keys since.
    GatewayAccount.objects.filter(id=account.id).update(public_key="pk_old", secret_key="sk_old")
    PaymentMethodFactory(customer=CustomerFactory(merchant=merchant))

    connect_gateway(merchant=merchant, name="sandbox", credentials=keys)

    assert account_of(merchant).credentials() == keys
    assert account_of(merchant).account_id == account.account_id
    assert account.account_id.startswith("acct_")


class ManyKeys(SandboxGateway):
    """A processor that gives out more keys for the same account, and takes the old ones until they are ended."""

    def __init__(self, credentials: Credentials) -> None:
        keys = (credentials.public_key, credentials.secret_key, credentials.webhook_secret)
        super().__init__(Credentials(*(key.removeprefix("new_") for key in keys)))


@pytest.fixture
def many_keys(sandbox, settings):
    """An account from before ids were kept, with a method saved at it."""
    settings.PAYMENT_GATEWAYS = {**settings.PAYMENT_GATEWAYS, "many_keys": f"{__name__}.ManyKeys"}
    account = connect_test_account(merchant=MerchantFactory(), name="many_keys")
    PaymentMethodFactory(customer=CustomerFactory(merchant=account.merchant), gateway="many_keys")
    known = account.account_id
    GatewayAccount.objects.update(account_id="")
    account.refresh_from_db()
    return account, known


def ids_kept() -> set[str]:
    """Return the ids that the connection and what is saved at it have."""
    return {
        *GatewayAccount.objects.values_list("account_id", flat=True),
        *PaymentMethod.objects.values_list("account_id", flat=True),
    }


@pytest.mark.parametrize("prefix", ["", "new_"])
def test_an_account_whose_id_was_never_kept_is_asked_for_it_before_its_keys_are_replaced(many_keys, prefix):
    account, known = many_keys
    held = account.credentials()
    keys = Credentials(prefix + held.public_key, prefix + held.secret_key, prefix + held.webhook_secret)

    connect_gateway(merchant=account.merchant, name="many_keys", credentials=keys)

    assert account_of(account.merchant).credentials() == keys
    assert ids_kept() == {known}


def test_an_account_whose_id_was_never_kept_is_asked_for_it_without_anybody_saving_keys(many_keys, settings):
    account, known = many_keys
    url, settings.SANDBOX_URL = settings.SANDBOX_URL, "http://localhost:1"
    learn_id(account_id=account.id)
    while_away = ids_kept()
    settings.SANDBOX_URL = url

    waiting = accounts_without_id()
    learn_id(account_id=account.id)

    assert (while_away, waiting) == ({""}, [account.id])
    assert (ids_kept(), accounts_without_id()) == ({known}, [])


def test_keys_of_another_account_are_refused_and_name_nothing_that_is_saved(many_keys):
    account, known = many_keys
    others = SandboxGateway.open_test_account("another", webhook_url="")

    with pytest.raises(GatewayInUse):
        connect_gateway(merchant=account.merchant, name="many_keys", credentials=others)

    assert account_of(account.merchant).credentials() == account.credentials()
    assert ids_kept() == {known}


def test_an_account_whose_keys_have_ended_before_its_id_was_kept_stays_unknown(many_keys):
    account, _ = many_keys
    keys = account.credentials()
    GatewayAccount.objects.update(public_key="pk_ended", secret_key="sk_ended")

    with pytest.raises(GatewayInUse):
        connect_gateway(merchant=account.merchant, name="many_keys", credentials=keys)
    learn_id(account_id=account.id)

    assert ids_kept() == {""}


def test_a_method_of_another_account_is_not_charged_with_the_keys_of_this_one(merchant, saved):
    card = saved()
    order = order_for(card, InvoiceFactory(customer=card.customer))
    PaymentMethod.objects.update(account_id="acct_before")

    with pytest.raises(MethodNotUsable):
        collect(order=order, now=NOW)

    assert not Payment.objects.exists()


def test_a_payment_that_another_account_took_is_not_refunded_with_the_keys_of_this_one(merchant, saved):
    card = saved()
    payment = collect(order=order_for(card, InvoiceFactory(customer=card.customer)), now=NOW)
    PaymentMethod.objects.update(account_id="acct_before")
    payment = Payment.objects.get()

    with pytest.raises(CannotRefund, match="another account of the processor"):
        refund(payment=payment, order=RefundOrder(uuid4(), usd("5.00"), 0, "Because", True), now=NOW)

    assert not Refund.objects.exists()


def test_the_same_card_at_another_account_takes_the_place_of_the_one_that_is_of_no_use(merchant, saved):
    old = saved()
    PaymentMethod.objects.update(account_id="acct_before")
    account = account_of(merchant)
    new = PaymentMethod.objects.get(id=old.id)
    new.pk, new.saved_at, new.account_id = uuid4(), None, account.account_id
    new.save(force_insert=True)

    with transaction.atomic():
        kept = save_once(new, now=NOW)

    old.refresh_from_db()
    assert (kept.id, bool(old.removed_at), bool(kept.saved_at)) == (new.id, True, True)


@pytest.mark.django_db(transaction=True)
def test_a_payment_waits_for_a_disconnection_at_the_same_moment_and_is_not_made(merchant, saved):
    card = saved()
    order = order_for(card, InvoiceFactory(customer=card.customer))
    PaymentMethod.objects.update(saved_at=None)
    is_gone = Event()

    def disconnect_slowly() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            disconnect_gateway(merchant=merchant, name="sandbox")
            is_gone.set()
            cursor.execute("SELECT pg_sleep(0.3)")
        connection.close()

    with ThreadPoolExecutor(1) as another_tab:
        ending = another_tab.submit(disconnect_slowly)
        is_gone.wait(10)
        with pytest.raises(CannotTakePayments):
            collect(order=order, now=NOW)
        ending.result()

    assert not Payment.objects.exists()
    assert check_books() == []


@pytest.mark.django_db(transaction=True)
def test_a_disconnection_waits_for_a_payment_at_the_same_moment_and_is_refused(merchant, saved):
    card = saved()
    PaymentMethod.objects.update(saved_at=None)

    def disconnect() -> object:
        try:
            return disconnect_gateway(merchant=merchant, name="sandbox")
        except GatewayInUse as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as another_tab:
        with transaction.atomic(), connection.cursor() as cursor:
            hold_gateway_account(merchant.id, "sandbox")
            ending = another_tab.submit(disconnect)
            cursor.execute("SELECT pg_sleep(0.2)")
            is_waiting = not ending.done()
            make_payment(card.customer, method=card, state=PaymentState.SUBMITTING)
        assert (is_waiting, ending.result()) == (True, "gateway_in_use")

    assert account_of(merchant)
