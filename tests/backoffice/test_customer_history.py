"""The time line of a customer: everything once, the latest first, at the same cost however long."""

from datetime import timedelta

import pytest
from django.urls import reverse

from payorcrm.core.clock import now as present
from payorcrm.customers.invite import accept_invitation, invite_customer
from payorcrm.customers.models import PortalAccess
from payorcrm.customers.portal_access import remove_access
from payorcrm.customers.view_as import start_viewing
from payorcrm.invoices.models import InvoiceEvent
from payorcrm.merchants.models import Role
from payorcrm.payment_methods.models import PaymentMethod
from tests.backoffice.rows import Shop, client_of, make_mail, make_note, make_shop
from tests.factories.models import CustomerFactory, InvoiceFactory, UserFactory

pytestmark = pytest.mark.django_db


def place(shop: Shop, query: str = "") -> str:
    return reverse("backoffice:customer_history", args=[shop.merchant.slug, shop.customer.id]) + query


def words_of(shop: Shop) -> list[str]:
    client, words, query = client_of(shop.merchant, Role.VIEWER), [], ""
    while True:
        timeline = client.get(place(shop, query)).context["timeline"]
        words += [row.words for row in timeline.rows]
        if not timeline.older:
            return words
        query = f"?before={timeline.older}"


def test_everything_is_told():
    shop, now = make_shop(), present()
    other = make_note(CustomerFactory(merchant=shop.merchant), UserFactory(name="Elsewhere"))
    InvoiceEvent.objects.create(merchant=shop.merchant, invoice=shop.invoice, kind="voided", at=now)
    invitation = invite_customer(customer=shop.customer, invited_by=None, now=now)
    accept_invitation(invitation=invitation, password="correct horse battery", now=now)
    access = PortalAccess.objects.get(id=invitation.access_id)
    remove_access(access=access, now=now)
    start_viewing(customer=shop.customer, user=UserFactory(name="Ann"), now=now)
    PaymentMethod.objects.filter(id=shop.method.id).update(removed_at=now)

    words = words_of(shop)

    assert {
        f"Invoice {shop.invoice.number} recorded",
        f"Invoice {shop.invoice.number}: voided",
        f"Payment {shop.payment.reference}: checking",
        f"Payment {shop.payment.reference}: paid",
        "Mail “Overdue: $120.00”: sent",
        f"Note by {shop.note.author}",
        f"Invited to the portal: {access.user.email}",
        f"Chose a password: {access.user.email}",
        f"Access to the portal removed: {access.user.email}",
        "Ann looked at the portal as this customer",
        "Visa •••• 0027 saved",
        "Visa •••• 0027 removed",
    } <= set(words)
    assert f"Note by {other.author}" not in words


@pytest.mark.parametrize("count", [1, 30, 100])
def test_it_costs_the_same_however_long(count, django_assert_num_queries):
    shop = make_shop()
    for _ in range(count):
        InvoiceFactory(customer=shop.customer)
        make_note(shop.customer, shop.note.author)
    client = client_of(shop.merchant)

    with django_assert_num_queries(5):
        assert client.get(place(shop)).status_code == 200


def test_each_line_stands_on_one_page_even_at_one_moment():
    shop, now = make_shop(), present()
    for number in range(70):
        make_mail(shop.customer, subject=f"Number {number}", queued_at=now - timedelta(minutes=number // 40))

    words = [each for each in words_of(shop) if "Number" in each]

    assert len(words) == len(set(words)) == 70


@pytest.mark.parametrize("key", ["x", "WzEsMl0", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwiIl0", "%00"])
def test_a_key_that_was_tampered_with_leads_to_the_first_page(key):
    shop = make_shop()

    assert client_of(shop.merchant).get(place(shop, f"?before={key}")).status_code == 200
