"""The page of a payment says who made it: a person in the portal, or whoever had the mail."""

import pytest
from django.urls import reverse

from payorcrm.payments.models import Payment
from payorcrm.payments.request_payment import request_all_unpaid
from payorcrm.payments.reserve import reserve
from tests.factories.models import NOW, InvoiceFactory, PaymentMethodFactory, PortalAccessFactory, StaffFactory
from tests.payments.kit import order_for


@pytest.mark.django_db
def test_page_names_who_paid_in_the_portal_and_says_when_it_was_a_mail(client):
    access = PortalAccessFactory(user__name="Ann O'Neill")
    method = PaymentMethodFactory(customer=access.customer)
    InvoiceFactory(customer=access.customer)
    payment = reserve(order=order_for(method, InvoiceFactory(customer=access.customer)), now=NOW).payment
    client.force_login(StaffFactory(merchant=access.merchant).user)
    address = reverse("backoffice:payment", args=[access.merchant.slug, payment.id])

    from_mail = client.get(address).content.decode()
    Payment.objects.update(made_by=access.user)
    in_portal = client.get(address).content.decode()
    chosen = request_all_unpaid(customer=access.customer, user=access.user, now=NOW)
    Payment.objects.update(made_by=None, request=chosen)
    of_nobody_left = client.get(address).content.decode()

    assert "from a mail" in from_mail
    assert "Ann O&#x27;Neill, in the portal" in in_portal
    assert "A user of the portal who is gone" in of_nobody_left
