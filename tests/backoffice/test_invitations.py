"""Inviting customers from the back office: what is said before, what is sent, and what a run shows."""

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.customers.invitation_runs import work_off
from payorcrm.customers.models import InvitationRun, Viewing
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Staff
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import CustomerFactory, PortalAccessFactory, UserFactory

pytestmark = pytest.mark.django_db


def place(shop, name, *ids):
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug, *ids])


def invited():
    return set(Mail.objects.filter(kind="invitation").values_list("to_address", flat=True))


def test_preview_names_addresses_and_who_is_left_out_and_sends_nothing():
    shop = make_shop()
    CustomerFactory(merchant=shop.merchant, contact__email="ap@blue.example", company_name="Blue <Marine>")
    CustomerFactory(merchant=shop.merchant, contact=False, company_name="Silent & Sons")

    page = client_of(shop.merchant).get(place(shop, "invite")).text

    assert "ap@blue.example" in page
    assert "Silent &amp; Sons" in page
    assert "No e-mail address" in page
    assert "Send 2 invitations" in page
    assert invited() == set()


def test_only_the_chosen_customers_are_invited():
    shop = make_shop()
    chosen = CustomerFactory(merchant=shop.merchant, contact__email="ap@blue.example")
    CustomerFactory(merchant=shop.merchant, contact__email="ap@green.example")

    response = client_of(shop.merchant).post(place(shop, "invite"), {"customer": str(chosen.id)})
    run = InvitationRun.objects.get(finished_at=None)
    work_off(run.id, now=now())

    assert response["Location"] == place(shop, "invitation_run", run.id)
    assert run.started_by == Staff.objects.get(merchant=shop.merchant).user
    assert invited() == {"ap@blue.example"}


def test_nothing_chosen_is_said_and_not_taken_for_all():
    shop = make_shop()

    page = client_of(shop.merchant).get(place(shop, "invite"), {"chosen": "yes"}, follow=True).text

    assert "Choose at least one customer first." in page


def test_progress_counts_until_the_run_is_done():
    shop = make_shop()
    CustomerFactory(merchant=shop.merchant, contact=False, company_name="Silent & Sons")
    client = client_of(shop.merchant)
    client.post(place(shop, "invite"))
    run = InvitationRun.objects.get(finished_at=None)

    before = client.get(place(shop, "invitation_run", run.id)).text
    part = client.get(place(shop, "invitation_run", run.id), headers={"HX-Request": "true"}).text
    work_off(run.id, now=now())
    after = client.get(place(shop, "invitation_run", run.id)).text

    assert "0 of 2 customers gone through" in before
    assert "every 2s" in before
    assert part.lstrip().startswith("<section")
    assert "2 of 2 customers gone through" in after
    assert "Silent &amp; Sons" in after
    assert "every 2s" not in after


def test_test_invitation_goes_to_oneself_and_back_to_the_same_choice():
    shop = make_shop()
    client = client_of(shop.merchant)

    response = client.post(place(shop, "invite_test"), {"customer": str(shop.customer.id)})

    member = Staff.objects.filter(merchant=shop.merchant).latest("id")
    assert response["Location"] == f"{place(shop, 'invite')}?customer={shop.customer.id}"
    assert list(Mail.objects.values_list("to_address", flat=True).filter(kind__startswith="invitation")) == [
        member.user.email
    ]


def test_list_says_how_far_each_customer_is():
    shop = make_shop()
    CustomerFactory(merchant=shop.merchant)

    page = client_of(shop.merchant).get(place(shop, "customers")).text

    assert "Has login" in page
    assert "Not invited" in page


@pytest.mark.parametrize("count", [1, 30])
def test_list_costs_the_same_however_long(count, django_assert_num_queries):
    shop = make_shop()
    for _ in range(count):
        PortalAccessFactory(customer=CustomerFactory(merchant=shop.merchant))
    client = client_of(shop.merchant)
    client.get(place(shop, "customers"))

    with django_assert_num_queries(9):
        client.get(place(shop, "customers"))


def test_removed_user_is_gone_from_the_page_and_signed_out():
    shop = make_shop()
    client = client_of(shop.merchant)

    page = client.post(place(shop, "user_remove", shop.customer.id, shop.access.id), follow=True).text

    assert f"{shop.access.user.email} can no longer sign in" in page
    assert "Nobody signs in for this customer yet." in page


def test_another_customers_user_cannot_be_removed_through_this_one():
    shop = make_shop()
    other = PortalAccessFactory(customer=CustomerFactory(merchant=shop.merchant))

    response = client_of(shop.merchant).post(place(shop, "user_remove", shop.customer.id, other.id))

    assert response.status_code == 404


def test_looks_of_the_staff_are_listed():
    shop = make_shop()
    client = client_of(shop.merchant)
    client.post(place(shop, "view_as", shop.customer.id))

    page = client.get(place(shop, "customer", shop.customer.id)).text

    assert Viewing.objects.get().customer == shop.customer
    assert "Seen by your staff" in page


def test_user_whose_address_is_not_on_file_is_marked():
    shop = make_shop()
    shop.access.user.email = shop.customer.contacts.get().email.upper()
    shop.access.user.save()
    client = client_of(shop.merchant)

    before = client.get(place(shop, "customer", shop.customer.id)).text
    PortalAccessFactory(customer=shop.customer, user=UserFactory(email="jo@acne.example"))
    after = client.get(place(shop, "customer", shop.customer.id)).text

    assert "Not the address on file" not in before
    assert after.count("Not the address on file; never signed in") == 1
