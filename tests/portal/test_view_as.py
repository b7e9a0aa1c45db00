"""Staff who look at the portal as a customer sees it: what they see, what they cannot do, and how it ends."""

from datetime import timedelta

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.customers.jobs import end_viewings
from payorcrm.customers.models import Viewing
from payorcrm.customers.view_as import VIEWING_LIFE
from payorcrm.merchants.models import Role
from tests.factories.models import PortalAccessFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def access():
    return PortalAccessFactory()


@pytest.fixture
def staff(access):
    return StaffFactory(merchant=access.merchant, role=Role.COLLECTOR)


def view_as(client, staff, customer):
    client.force_login(staff.user)
    return client.post(reverse("backoffice:view_as", args=[staff.merchant.slug, customer.id]))


def test_staff_view_the_portal_as_a_customer_and_see_that_they_do(client, access, staff):
    answer = view_as(client, staff, access.customer)

    page = client.get(answer.url).text

    assert f"You see the portal as {access.customer.company_name}. You cannot pay or change anything." in page
    viewing = Viewing.objects.get()
    assert (viewing.user, viewing.customer, viewing.ended_at) == (staff.user, access.customer, None)


def test_nothing_can_be_posted_while_viewing(client, access, staff):
    view_as(client, staff, access.customer)

    answer = client.post(reverse("portal:switch_customer"), {"access": access.id})

    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text


@pytest.mark.parametrize("name", ["security", "sessions", "accounts"])
def test_pages_about_the_person_are_hidden_while_viewing(client, access, staff, name):
    view_as(client, staff, access.customer)

    page = client.get(reverse(f"portal:{name}")).text

    assert "Only the customer’s own people see this" in page
    assert staff.user.email not in page


def test_end_of_viewing_leads_back_and_is_written_down(client, access, staff):
    view_as(client, staff, access.customer)

    answer = client.post(reverse("portal:stop_viewing"))

    assert answer.url == reverse("backoffice:customer", args=[staff.merchant.slug, access.customer.id])
    assert Viewing.objects.get().ended_at
    assert client.get(reverse("portal:payments")).status_code == 404


def test_signing_out_ends_the_viewing(client, access, staff):
    view_as(client, staff, access.customer)

    client.post(reverse("account_logout"))

    assert Viewing.objects.get().ended_at


@pytest.mark.parametrize("same_merchant", [True, False])
def test_viewing_is_for_collectors_of_the_customers_own_merchant(client, access, staff, same_merchant):
    other = StaffFactory(merchant=access.merchant, role=Role.VIEWER) if same_merchant else StaffFactory()

    answer = view_as(client, other, access.customer)

    assert answer.status_code == (403 if same_merchant else 404)
    assert not Viewing.objects.exists()


def test_viewing_ends_with_the_membership(client, access, staff):
    view_as(client, staff, access.customer)
    staff.delete()

    answer = client.get(reverse("portal:payments"), follow=True)

    assert answer.redirect_chain[0][0] == reverse("home_after_sign_in")
    assert access.customer.company_name not in answer.text
    assert Viewing.objects.get().ended_at


def test_viewing_ends_with_the_role_and_leads_to_what_the_role_shows(client, access, staff):
    view_as(client, staff, access.customer)
    staff.role = Role.VIEWER
    staff.save()

    answer = client.get(reverse("portal:payments"), follow=True)
    again = client.get(reverse("portal:payments"))

    assert answer.redirect_chain[-1][0] == reverse("backoffice:dashboard", args=[staff.merchant.slug])
    assert "You no longer see the portal as the customer" in answer.text
    assert Viewing.objects.get().ended_at
    assert again.status_code == 404


def test_viewing_ends_by_itself_after_an_hour(client, access, staff):
    own = PortalAccessFactory(user=staff.user)
    view_as(client, staff, access.customer)
    begun = now() - VIEWING_LIFE + timedelta(seconds=30)
    Viewing.objects.update(started_at=begun)
    last = client.get(reverse("portal:payments")).text
    begun = now() - VIEWING_LIFE - timedelta(minutes=5)
    Viewing.objects.update(started_at=begun)

    answer = client.get(reverse("portal:payments"), follow=True)
    theirs = client.get(reverse("portal:payments")).text

    assert access.customer.company_name in last
    assert answer.redirect_chain[-1][0] == reverse("backoffice:dashboard", args=[staff.merchant.slug])
    assert Viewing.objects.get().ended_at == begun + VIEWING_LIFE
    assert own.customer.company_name in theirs
    assert "You see the portal as" not in theirs


def test_viewing_that_nobody_comes_back_to_is_ended_by_the_timetable(client, access, staff):
    view_as(client, staff, access.customer)

    end_viewings(timestamp=0)
    before = Viewing.objects.get().ended_at
    begun = now() - VIEWING_LIFE
    Viewing.objects.update(started_at=begun)
    end_viewings(timestamp=0)

    assert before is None
    assert Viewing.objects.get().ended_at == begun + VIEWING_LIFE
