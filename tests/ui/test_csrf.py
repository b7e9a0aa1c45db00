"""Forms of pages that send no referrer: their own pass, a stranger's do not, and the token is checked always."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client
from django.urls import path

from payorcrm.portal.visitor import private_page
from tests.factories.browsing import browse

TOKEN = "a" * 32


@private_page
def page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return HttpResponse("<!doctype html><title>x</title><h1>Posted</h1>")
    field = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return HttpResponse(f'<!doctype html><form method="post">{field}<button>Pay</button></form>')


urlpatterns = [path("page/", page)]
handler404 = "payorcrm.ui.views.not_found"


@pytest.fixture
def client(settings):
    settings.ROOT_URLCONF = __name__
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.CSRF_COOKIE_NAME] = TOKEN
    return client


def post(client, *, secure=False, token=TOKEN, **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/page/", {"csrfmiddlewaretoken": token}, headers=sent, secure=secure).status_code


@pytest.mark.django_db
@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "null", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "null"}, 200),
        ({"Origin": "null", "Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "null", "Sec_Fetch_Site": "none"}, 403),
        ({"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"}, 403),
        ({"Origin": "https://evil.example"}, 403),
    ],
)
def test_origin_that_is_hidden_passes_from_the_same_site_only(client, secure, headers, status):
    assert post(client, secure=secure, **headers) == status


@pytest.mark.django_db
@pytest.mark.parametrize("site", [{"Sec_Fetch_Site": "same-origin"}, {}])
def test_token_is_checked_whatever_the_origin(client, site):
    assert post(client, token="b" * 32, Origin="null", **site) == 403


@pytest.mark.django_db
def test_secure_request_without_origin_and_referrer_is_refused(client):
    assert post(client, secure=True) == 403


@pytest.mark.django_db(transaction=True)
def test_browser_posts_a_page_that_sends_no_referrer(client):
    seen = {}

    def press(tab):
        tab.page.on("request", lambda request: seen.update({request.method: request.headers.get("origin")}))
        tab.page.goto("http://localhost/page/")
        tab.page.get_by_role("button", name="Pay").click()
        return tab.page.locator("h1").inner_text()

    assert browse(client, press) == "Posted"
    assert seen["POST"] == "null"
