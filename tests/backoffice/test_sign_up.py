"""The pages at which a business signs itself up."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.core.models import User
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant, Role
from payorcrm.sign_ups.accept import sign_up_link
from payorcrm.sign_ups.models import SignUp
from tests.backoffice.rows import client_of, make_shop
from tests.backoffice.test_access import PATTERNS
from tests.factories.models import MerchantFactory, PortalAccessFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/signup/"
FORM = {
    "business": "Harbor “Supply” & Co 🦞",
    "name": "Ada Reyes",
    "email": "ada@harbor.example",
    "password": "three calm lobsters",
    "slug": "",
    "time_zone": "America/Denver",
    "currency": "USD",
}


def sign_up(client: Client, **changes):
    return client.post(PAGE, FORM | changes, follow=True)


def link() -> str:
    return re.search(r"(/signup/open/[\w-]+/)", sign_up_link(SignUp.objects.get(), now()))[1]


def test_from_the_sign_in_page_to_the_dashboard_in_one_browser():
    client = Client()
    assert f'href="{PAGE}"' in client.get(reverse("account_login")).text

    assert "A mail to <strong>ada@harbor.example</strong> is on its way" in sign_up(client).text
    shown = client.get(link()).text
    response = client.post(link(), follow=True)

    assert "The password that you chose" not in shown
    assert response.redirect_chain[-1][0] == "/m/harbor-supply-co/"
    assert response.context["request"].staff.role == Role.OWNER


def test_looking_at_the_link_opens_nothing():
    sign_up(Client())

    Client().get(link())
    Client().head(link())

    assert not Merchant.objects.exists()


def test_another_browser_is_asked_for_the_password_that_was_chosen():
    sign_up(Client())
    other = Client()

    refused = other.post(link(), {"password": "what the owner would type"})
    opened = other.post(link(), {"password": FORM["password"]}, follow=True)

    assert "This is not the password that was chosen" in refused.text
    assert opened.redirect_chain[-1][0] == "/m/harbor-supply-co/"


def test_passwords_cannot_be_tried_without_end():
    sign_up(Client())
    place = link()

    answers = [Client().post(place, {"password": f"guess number {number}"}).status_code for number in range(21)]

    assert answers[0] == 422
    assert answers[-1] == 429


def test_the_page_is_the_same_for_an_address_with_a_sign_in():
    UserFactory(email="ada@harbor.example")

    known = sign_up(Client())
    unknown = sign_up(Client(), email="bob@harbor.example")

    assert known.text.replace("ada@", "bob@").split("<main")[1] == unknown.text.split("<main")[1]
    assert [mail.subject for mail in Mail.objects.all()] == ["", ""]


def test_a_proved_address_with_a_sign_in_signs_in_and_adds_the_business_then():
    client = Client()
    sign_up(client)
    UserFactory(email="Ada@Harbor.example")

    response = client.post(link(), follow=True)

    assert "You have a sign-in here already" in response.text
    assert not Merchant.objects.exists()
    assert "business%3DHarbor" in response.redirect_chain[-1][0]


@pytest.mark.parametrize("make_user", [lambda: PortalAccessFactory().user, UserFactory], ids=["customer", "nobody"])
def test_who_has_signed_in_adds_a_business_at_once(make_user):
    user, client = make_user(), Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    page = client.get(PAGE, {"business": "Harbor Supply"})
    response = sign_up(client, business="Harbor Supply")

    assert 'value="harbor-supply"' in page.text
    assert 'name="password"' not in page.text
    assert "Harbor Supply is open." in response.text
    assert user.memberships.get().role == Role.OWNER


def test_staff_of_one_business_own_a_second_one():
    shop = make_shop()
    client = client_of(shop.merchant, Role.VIEWER)

    sign_up(client, business="My own")

    assert Merchant.objects.get(slug="my-own").staff.get().role == Role.OWNER
    assert set(shop.merchant.staff.values_list("role", flat=True)) == {Role.VIEWER}


def test_no_page_of_an_owners_second_business_shows_a_row_of_the_first():
    first = make_shop()
    client = client_of(first.merchant)
    said = {str(row_id) for row_id in first.ids().values()} | {first.customer.company_name, first.invoice.number}
    said |= {first.payment.reference, first.mail.to_address, first.contact.email}

    home = sign_up(client, business="Second").text
    pages = pages_of(client, "second")

    assert first.customer.company_name in client.get(reverse("backoffice:customers", args=[first.merchant.slug])).text
    assert f'href="{reverse("backoffice:dashboard", args=[first.merchant.slug])}"' in home
    assert len(pages) > 20
    assert {place: words for place, text in pages.items() if (words := {each for each in said if each in text})} == {}
    for name, row in {"customer": first.customer, "invoice": first.invoice, "payment": first.payment}.items():
        assert client.get(reverse(f"backoffice:{name}", args=["second", row.id])).status_code == 404
        assert client.get(reverse(f"backoffice:{name}", args=[first.merchant.slug, row.id])).status_code == 200


def pages_of(client: Client, slug: str) -> dict[str, str]:
    """Return every page of a business whose address names no row, as it is read."""
    names = [str(pattern.name) for pattern in PATTERNS if not pattern.pattern.converters]
    answers = {name: client.get(reverse(f"backoffice:{name}", args=[slug])) for name in names}
    return {
        name: b"".join(answer).decode(errors="replace") for name, answer in answers.items() if answer.status_code == 200
    }


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("business", "", "This field is required"),
        ("email", "nobody", "valid email address"),
        ("password", "short", "too short"),
        ("password", "password123", "too common"),
        ("password", "ada@harbor.example", "too similar"),
        ("slug", "no spaces", "letters, digits and hyphens only"),
        ("slug", "Taken", "“taken-2” is free"),
        ("time_zone", "Mars/Olympus", "Select a valid choice"),
        ("currency", "XYZ", "Select a valid choice"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_lost(field, value, words):
    MerchantFactory(slug="taken")

    response = sign_up(Client(), **{field: value})

    assert response.status_code == 422
    assert words in response.text
    assert field == "name" or 'value="Ada Reyes"' in response.text
    assert not SignUp.objects.exists()


def test_an_address_and_a_currency_are_proposed_from_name_and_time_zone():
    MerchantFactory(slug="harbor")

    proposed = Client().get(f"{PAGE}details/", {"business": "Harbor", "slug": "", "time_zone": "Europe/London"}).json()

    assert (proposed["slug"], proposed["currency"], proposed["is_taken"]) == ("harbor-2", "GBP", False)
    assert "/c/harbor-2/" in proposed["words"]


def test_a_typed_address_is_checked_before_the_form_is_sent():
    MerchantFactory(slug="taken")

    checked = Client().get(f"{PAGE}details/", {"business": "Harbor", "slug": "Taken", "time_zone": "UTC"}).json()

    assert (checked["slug"], checked["is_taken"]) == ("taken", True)
    assert checked["words"] == "Somebody has this address already. “taken-2” is free."


def test_nothing_is_proposed_from_nothing():
    assert Client().get(f"{PAGE}details/").json() == {"slug": "", "currency": "USD", "words": "", "is_taken": False}


def test_the_sixth_mail_to_one_address_in_an_hour_is_not_sent():
    answers = [sign_up(Client()).status_code for _ in range(6)]

    assert answers == [200] * 5 + [429]
    assert Mail.objects.count() == 5


def test_where_sign_up_is_closed_nobody_signs_up(settings):
    settings.PUBLIC_SIGN_UP = False

    response = sign_up(Client())

    assert response.status_code == 404
    assert "by invitation" in response.text
    assert not SignUp.objects.exists()
    assert f'href="{PAGE}"' not in Client().get(reverse("account_login")).text


def test_a_link_that_was_used_says_so():
    client = Client()
    sign_up(client)
    place = link()
    client.post(place)

    response = Client().get(place)

    assert response.status_code == 410
    assert "open already" in response.text
    assert User.objects.count() == 1


def test_an_address_that_no_text_can_be_is_nobodys():
    assert Client().get(f"{PAGE}details/", {"slug": "a\0b"}).json()["is_taken"] is False
