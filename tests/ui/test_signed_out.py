"""A session that ended under an open page: the way back leads to that page, and what was written is not lost."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.backoffice.rows import client_of, make_shop
from tests.factories.browsing import HOST, browse

pytestmark = pytest.mark.django_db
NOTE = "They promised to pay on Friday, by cheque."


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def note_address(shop):
    return reverse("backoffice:note_write", args=[shop.merchant.slug, shop.customer.id])


def test_a_note_that_came_too_late_is_shown_beside_the_way_back(shop, note_address):
    page = reverse("backoffice:customer", args=[shop.merchant.slug, shop.customer.id])

    response = Client().post(
        note_address, {"text": NOTE, "password": "not for show"}, headers={"Referer": f"http://testserver{page}?a=1"}
    )

    assert response.status_code == 401
    assert NOTE in response.text
    assert "not for show" not in response.text
    assert f"{reverse('account_login')}?next={page.replace('/', '%2F')}%3Fa%3D1" in response.text


def test_a_button_that_was_pressed_too_late_leads_back_to_its_page_and_not_to_where_it_posts(shop):
    page = reverse("backoffice:invoice", args=[shop.merchant.slug, shop.invoice.id])

    response = Client().post(f"{page}void/", {"note": "x"}, headers={"Referer": f"http://testserver{page}"})

    assert response["Location"] == f"{reverse('account_login')}?next={page.replace('/', '%2F')}"


@pytest.mark.parametrize("referrer", ["https://evil.example/m/", "", "javascript:alert(1)"])
def test_a_page_that_is_not_ours_is_not_led_back_to(note_address, referrer):
    response = Client().post(note_address, {"text": "x"}, headers={"Referer": referrer})

    assert response["Location"] == reverse("account_login")


def test_a_part_of_a_page_leaves_the_page_standing(shop):
    rules = reverse("backoffice:rule_new", args=[shop.merchant.slug])

    response = Client().post(
        rules, {"act": "show"}, headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{rules}"}
    )

    assert response.status_code == 401
    assert "<html" not in response.text
    assert f"next={rules.replace('/', '%2F')}" in response.text


def test_a_search_of_somebody_signed_out_leaves_the_list_and_says_so(shop):
    client = client_of(shop.merchant)

    def search(tab):
        tab.page.goto(f"{HOST}{reverse('backoffice:customers', args=[shop.merchant.slug])}")
        tab.in_test(client.logout)
        tab.page.get_by_label("Search").fill("a")
        tab.page.locator("#notices").get_by_role("link", name="Sign in").wait_for()
        return tab.page.locator("#list").inner_text()

    assert shop.customer.company_name in browse(client, search)


def test_a_customer_is_led_back_to_the_page_in_the_portal():
    response = Client().post(reverse("portal:settings"), headers={"Referer": "http://testserver/portal/settings/"})

    assert response["Location"] == f"{reverse('account_login')}?next=%2Fportal%2Fsettings%2F"


@pytest.mark.parametrize(("site", "is_shown"), [("same-origin", True), ("cross-site", False), ("", False)])
def test_a_form_with_an_old_token_shows_its_words_to_our_own_pages_only(note_address, site, is_shown):
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32

    response = client.post(
        note_address, {"text": NOTE, "csrfmiddlewaretoken": "b" * 32}, headers={"Sec-Fetch-Site": site}
    )

    assert response.status_code == 403
    assert (NOTE in response.text) == is_shown


def test_who_lost_the_role_meanwhile_is_told_so_and_changes_nothing(shop, note_address):
    client = client_of(shop.merchant, "viewer")

    response = client.post(note_address, {"text": NOTE})

    assert response.status_code == 403
    assert "Your role does not allow this. Nothing was changed." in response.text
