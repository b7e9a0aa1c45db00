"""Staff who look at the portal as a customer: every address of the portal, looked at and pressed."""

import pytest
from django.urls import URLPattern, reverse

from payorcrm.core.clock import now
from payorcrm.customers.view_as import VIEWING, start_viewing
from payorcrm.portal.urls import urlpatterns
from tests.factories.models import GatewayAccountFactory, PortalAccessFactory, StaffFactory
from tests.portal.test_access import things_of

# These two are about the person who is signed in.
OF_STAFF = {"stop_viewing", "choose_password"}
PORTAL = sorted(
    one.name
    for one in urlpatterns
    if isinstance(one, URLPattern) and str(one.pattern).startswith("portal/") and one.name not in OF_STAFF
)


@pytest.mark.parametrize("name", PORTAL)
def test_staff_see_that_they_only_look_and_can_press_nothing(client, db, name):
    access = PortalAccessFactory()
    GatewayAccountFactory(merchant=access.merchant)
    staff = StaffFactory(merchant=access.merchant)
    client.force_login(staff.user)
    session = client.session
    session[VIEWING] = str(start_viewing(customer=access.customer, user=staff.user, now=now()).id)
    session.save()
    (pattern,) = [one.pattern for one in urlpatterns if one.name == name]
    things = things_of(access, name) | {"kind": "csv"}
    address = reverse(f"portal:{name}", kwargs={word: things[word] for word in pattern.converters})

    pressed = client.post(address)
    shown = client.get(address, follow=True)

    assert pressed.status_code in (403, 405)
    assert shown.status_code in (200, 405, 409)
    if shown.status_code != 405 and shown["Content-Type"].startswith("text/html"):
        page = shown.content.decode()
        assert "You cannot pay or change anything." in page
        assert "<iframe" not in page
        assert 'name="checkout"' not in page
        assert 'id="basket"' not in page
