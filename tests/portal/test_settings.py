"""What people choose in the portal: their name, their languages, and where the mails to their company go."""

import pytest
from django.test import Client

from payorcrm.customers.models import Notification, Topic
from payorcrm.customers.unsubscribe import end_reminders
from tests.factories.browsing import HOST, browse
from tests.factories.models import NOW, MerchantFactory, PortalAccessFactory, StaffFactory

URL = "/portal/settings/"
CFO = "cfo@acme.example"
TWICE = {"reminders-to": "ap@acme.example", "reminders-cc": "AP@acme.example"}


@pytest.fixture
def access(db):
    return PortalAccessFactory()


@pytest.fixture
def client(access):
    client = Client()
    client.force_login(access.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def mails(**changed: str) -> dict[str, str]:
    wanted = {f"{topic}-is_wanted": "on" for topic in Topic}
    return {"part": "mails", "mail_language": "any"} | wanted | changed


def row(access, topic) -> Notification:
    return Notification.objects.get(customer=access.customer, topic=topic)


def test_name_and_language_are_kept_and_spoken_at_once(client, access):
    client.post(URL, {"part": "person", "name": "Ana María", "page_language": "es"})

    access.user.refresh_from_db()
    response = client.get(URL, headers={"Accept-Language": "en"})

    assert (access.user.name, access.user.language) == ("Ana María", "es")
    assert '<html lang="es" dir="ltr">' in response.text
    assert response["Content-Language"] == "es"


def test_without_a_choice_the_browser_decides(client, access):
    client.post(URL, {"part": "person", "name": "", "page_language": "any"})

    spanish = client.get(URL, headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"})
    french = client.get(URL, headers={"Accept-Language": "fr"})

    assert '<html lang="es"' in spanish.text
    assert '<html lang="en"' in french.text
    assert "Accept-Language" in spanish["Vary"]


def test_language_of_the_mails_is_the_companys(client, access):
    client.post(URL, mails(mail_language="es"))

    access.customer.refresh_from_db()

    assert access.customer.language == "es"
    assert "Saved." in client.get(URL).text


def test_mails_go_where_the_company_wants_them(client, access):
    client.post(
        URL,
        mails(
            **{"payments-to": "ap@acme.example; Books@acme.example,ap@acme.example", "payments-cc": "cfo@acme.example"}
        ),
    )

    kept = row(access, Topic.PAYMENTS)

    assert (kept.is_wanted, kept.to, kept.cc) == (True, ["ap@acme.example", "Books@acme.example"], [CFO])
    assert "ap@acme.example, Books@acme.example" in client.get(URL).text
    assert not Notification.objects.filter(topic=Topic.METHODS).exists()


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(client, access):
    response = client.post(
        URL, mails(**{"payments-to": "ap@acme.example, nobody", "methods-cc": "kept@acme.example"}), follow=True
    )

    assert response.status_code == 422
    assert "“nobody” is not an e-mail address." in response.text
    assert "kept@acme.example" in response.text
    assert 'aria-invalid="true"' in response.text
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (
            {"reminders-to": "ap@acme.example", "reminders-cc": "AP@acme.example"},
            "AP@acme.example gets the mail already.",
        ),
        ({"reminders-to": " ".join(f"n{n}@acme.example" for n in range(6))}, "Please write 5 addresses at most."),
    ],
)
def test_too_many_addresses_and_the_same_twice_are_refused(client, typed, complaint):
    assert complaint in client.post(URL, mails(**typed)).text
    assert not Notification.objects.exists()


def test_reminders_are_switched_off_and_on_as_by_the_link_in_their_footer(client, access):
    off = mails()
    del off["reminders-is_wanted"]

    client.post(URL, off)
    access.customer.refresh_from_db()
    was_off = access.customer.unsubscribed_at
    client.post(URL, mails())
    access.customer.refresh_from_db()

    assert was_off is not None
    assert access.customer.unsubscribed_at is None


def test_reminders_ended_by_a_mails_link_are_shown_as_off(client, access):
    end_reminders(customer=access.customer, now=NOW)

    assert client.get(URL).text.count(" checked") == len(Topic) - 1


def test_another_companys_mails_are_left_alone(client, access):
    other = PortalAccessFactory()

    client.post(URL, mails(**{"payments-to": "ap@acme.example"}))

    assert not Notification.objects.filter(customer=other.customer).exists()


def test_settings_cost_the_same_queries_however_much_is_set(client, access, django_assert_num_queries):
    client.get(URL)
    with django_assert_num_queries(5):
        client.get(URL)
    client.post(URL, mails(**{f"{topic}-to": "ap@acme.example" for topic in Topic}))
    client.get(URL)

    with django_assert_num_queries(5):
        client.get(URL)


@pytest.mark.parametrize("width", [1280, 360])
def test_settings_are_usable_on_any_screen(client, width):
    def visit(tab):
        tab.page.goto(HOST + URL, wait_until="load")
        found = tab.problems()
        tab.page.get_by_role("textbox", name="Copy to").first.fill("no address")
        tab.page.get_by_role("button", name="Save").last.click()
        tab.page.wait_for_load_state("load")
        return found + [each for each in tab.problems() if "422" not in each]

    assert browse(client, visit, width=width) == []


def test_pages_of_the_back_office_stay_english(db):
    staff = StaffFactory(merchant=MerchantFactory())
    staff.user.language = "es"
    staff.user.save()
    client = Client()
    client.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    response = client.get(f"/m/{staff.merchant.slug}/", headers={"Accept-Language": "es"})

    assert '<html lang="en"' in response.text
    assert response["Content-Language"] == "en"
