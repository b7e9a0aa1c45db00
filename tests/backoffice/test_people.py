"""Further contacts as staff keep them."""

import pytest
from django.urls import reverse

from payorcrm.customers.models import Contact
from tests.backoffice.rows import client_of, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """A merchant with something of everything."""
    return make_shop()


@pytest.fixture
def ada(shop):
    """A further person at the customer."""
    names = {"first_name": "Ada", "last_name": "Byron", "email": "ada@acme.example"}
    return Contact.objects.create(merchant=shop.merchant, customer=shop.customer, **names)


def place(name, shop, *ids):
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug, *ids])


def on_file(shop):
    return Contact.objects.get(customer=shop.customer, is_primary=True)


def test_a_person_is_added_changed_and_removed(shop):
    client = client_of(shop.merchant)
    before = on_file(shop)

    client.post(place("contact_add", shop, shop.customer.id), {"first_name": "Émile 🚲", "email": "emile@acme.example"})
    added = Contact.objects.get(email="emile@acme.example")
    client.post(place("contact_change", shop, added.id), {"last_name": "O'Hara", "phone": "+1 207 555 0100"})
    changed = Contact.objects.get(id=added.id)
    page = client.post(place("contact_remove", shop, added.id), follow=True)

    assert (added.is_primary, on_file(shop)) == (False, before)
    assert (changed.first_name, changed.last_name, changed.email) == ("", "O'Hara", "")
    assert "O&#x27;Hara is removed." in page.text
    assert not Contact.objects.filter(id=added.id).exists()


def test_another_address_is_put_on_file_and_there_is_one_at_a_time(shop, ada):
    page = client_of(shop.merchant).post(place("contact_primary", shop, ada.id), follow=True)

    assert on_file(shop) == ada
    assert "go to ada@acme.example from now on" in page.text


def test_the_address_on_file_is_not_removed_and_nobody_without_an_address_is_put_there(shop, ada):
    client = client_of(shop.merchant)
    before = on_file(shop)
    Contact.objects.filter(id=ada.id).update(email="")

    removed = client.post(place("contact_remove", shop, before.id), follow=True)
    chosen = client.post(place("contact_primary", shop, ada.id), follow=True)

    assert "was not removed" in removed.text
    assert "has no e-mail address" in chosen.text
    assert on_file(shop) == before


@pytest.mark.parametrize(
    ("typed_in", "said"), [({"phone": "1"}, "Enter a name or an e-mail address."), ({"email": "x@"}, "valid email")]
)
def test_what_cannot_be_kept_is_said_and_stays_in_the_form(shop, typed_in, said):
    page = client_of(shop.merchant).post(place("contact_add", shop, shop.customer.id), typed_in)

    assert said in page.text
    assert f'value="{next(iter(typed_in.values()))}"' in page.text


def test_the_first_person_of_a_customer_without_one_is_put_on_file(shop):
    Contact.objects.filter(customer=shop.customer).delete()

    client_of(shop.merchant).post(place("contact_add", shop, shop.customer.id), {"email": "first@acme.example"})

    assert on_file(shop).email == "first@acme.example"
