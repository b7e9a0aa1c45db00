"""A removed method is never charged again, here or at the processor; one in use stays until its payment has cleared."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction

from payorcrm.gateways.base import ChargeRequest, MethodKind, Outcome
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.remove import MethodInUse, forget_at_processor, remove_method
from payorcrm.payments.collect import collect
from payorcrm.payments.models import Payment
from payorcrm.payments.reserve import MethodNotUsable
from tests.factories.models import NOW, InvoiceFactory, usd
from tests.payments.kit import order_for


def test_removed_method_is_no_longer_saved_and_the_processor_forgets_it(merchant, saved):
    card = saved()

    remove_method(method_id=card.id, now=NOW)
    forget_at_processor(method_id=card.id)
    account = gateway_account_of(merchant.id, card.gateway)
    asked_for = ChargeRequest("key", usd("120.00"), MethodKind.CARD, card.token, "PAY-1", "http://localhost:8000/")
    answer = gateway_of(account).charge(asked_for)

    assert not PaymentMethod.objects.saved().exists()
    assert answer.outcome is Outcome.DECLINED


def test_charge_with_a_method_that_was_removed_meanwhile_is_refused_before_the_processor_hears_of_it(merchant, saved):
    card = saved()
    order = order_for(card, InvoiceFactory(customer=card.customer))
    remove_method(method_id=card.id, now=NOW)

    with pytest.raises(MethodNotUsable):
        collect(order=order, now=NOW)

    assert not Payment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_charge_waits_for_a_removal_at_the_same_moment(merchant, saved):
    card = saved()
    order = order_for(card, InvoiceFactory(customer=card.customer))
    is_removed = Event()

    def remove_slowly() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            remove_method(method_id=card.id, now=NOW)
            is_removed.set()
            cursor.execute("SELECT pg_sleep(0.3)")
        connection.close()

    with ThreadPoolExecutor(1) as another_tab:
        removal = another_tab.submit(remove_slowly)
        is_removed.wait(10)
        with pytest.raises(MethodNotUsable):
            collect(order=order, now=NOW)
        removal.result()

    assert not Payment.objects.exists()


def test_removing_twice_keeps_the_first_moment(merchant, saved):
    card = saved()
    first = remove_method(method_id=card.id, now=NOW)

    again = remove_method(method_id=card.id, now=NOW.replace(year=2030))

    assert again.removed_at == first.removed_at == NOW


def test_method_with_a_payment_under_way_stays(merchant, saved):
    account = saved("000123458820", bank=True)
    collect(order=order_for(account, InvoiceFactory(customer=account.customer)), now=NOW)

    with pytest.raises(MethodInUse):
        remove_method(method_id=account.id, now=NOW)

    assert PaymentMethod.objects.saved().get() == account
