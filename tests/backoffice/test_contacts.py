"""The address on file: changed by collectors, checked, and apart from who signs in."""

import pytest
from django.urls import reverse

from payorcrm.customers.models import Contact
from payorcrm.merchants.models import Role
from tests.backoffice.rows import Shop, client_of, make_shop
from tests.factories.models import PortalAccessFactory, UserFactory

pytestmark = pytest.mark.django_db
PERSON = {"first_name": "Kim", "last_name": "Reed", "email": "kim@acme.example", "phone": "555 0100", "language": "es"}


def place(shop: Shop) -> str:
    return reverse("backoffice:customer_contact", args=[shop.merchant.slug, shop.customer.id])


@pytest.mark.parametrize("is_known", [True, False])
def test_a_person_is_put_on_file(is_known):
    shop = make_shop()
    if not is_known:
        Contact.objects.all().delete()

    client_of(shop.merchant, Role.COLLECTOR).post(place(shop), PERSON)

    contact = Contact.objects.get(customer=shop.customer)
    shop.customer.refresh_from_db()
    assert (str(contact), contact.email, contact.is_primary) == ("Kim Reed", "kim@acme.example", True)
    assert shop.customer.language == "es"


@pytest.mark.parametrize("wrong", [{"email": "kim at acme"}, {"language": "xx"}, {"first_name": "x" * 101}])
def test_what_is_no_address_or_language_changes_nothing(wrong):
    shop = make_shop()
    before = Contact.objects.get(customer=shop.customer).email

    response = client_of(shop.merchant).post(place(shop), PERSON | wrong)

    assert response.status_code == 200
    assert response.context["form"].errors.keys() == wrong.keys()
    assert Contact.objects.get(customer=shop.customer).email == before


def test_who_can_still_sign_in_is_said():
    shop = make_shop()
    old = Contact.objects.get(customer=shop.customer).email
    PortalAccessFactory(customer=shop.customer, user=UserFactory(email=old))
    client = client_of(shop.merchant)

    asked = client.get(place(shop)).text
    response = client.post(place(shop), PERSON, follow=True)

    assert "Who signs in stays as it is" in asked
    assert f"{old} can still sign in to the portal" in response.text
    assert "can still sign in" not in client.post(place(shop), PERSON, follow=True).text
