"""A removed method is never charged again, here or at the processor; one in use stays until its payment has cleared."""

import pytest

from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.remove import MethodInUse, forget_at_processor, remove_method
from payorcrm.payments.collect import collect
from tests.factories.models import NOW, InvoiceFactory
from tests.payments.kit import order_for


def test_removed_method_is_no_longer_saved_and_the_processor_forgets_it(merchant, saved):
    card = saved()

    remove_method(method_id=card.id, now=NOW)
    forget_at_processor(method_id=card.id)
    payment = collect(order=order_for(card, InvoiceFactory(customer=card.customer)), now=NOW)

    assert not PaymentMethod.objects.saved().exists()
    assert payment.state == "declined"


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
