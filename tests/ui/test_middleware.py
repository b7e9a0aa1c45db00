"""Errors by who must act: the page says what happened to the money, never how the program failed."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from payorcrm.core.errors import Inconsistent, Refused, Unavailable


class AlreadyPaid(Refused):
    """A rule for these tests."""

    code = "already_paid"
    message = "This was paid <already>."


def refusing(request: HttpRequest) -> HttpResponse:
    raise AlreadyPaid


def unavailable(request: HttpRequest) -> HttpResponse:
    raise Unavailable


def broken(request: HttpRequest) -> HttpResponse:
    raise Inconsistent("The secret detail.")


urlpatterns = [path("refused/", refusing), path("away/", unavailable), path("broken/", broken)]
handler404 = "payorcrm.ui.views.not_found"
handler500 = "payorcrm.ui.views.server_error"


@pytest.fixture
def client(settings):
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


def test_a_refusal_is_shown_with_its_status(client):
    response = client.get("/refused/")

    assert response.status_code == 409
    assert "This was paid &lt;already&gt;." in response.text
    assert "<h1>" in response.text


def test_htmx_gets_a_notice_instead_of_a_page(client):
    response = client.get("/refused/", headers={"HX-Request": "true"})

    assert response.status_code == 409
    assert "This was paid" in response.text
    assert "<html" not in response.text


def test_what_is_away_is_503_and_may_be_tried_again(client):
    response = client.get("/away/")

    assert response.status_code == 503
    assert response["Retry-After"] == "30"


def test_an_inconsistency_shows_nothing_of_itself(client, caplog):
    response = client.get("/broken/")

    assert response.status_code == 500
    assert "nothing is charged twice" in response.text
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text


def test_a_missing_page_is_kind(client):
    response = client.get("/nowhere/")

    assert response.status_code == 404
    assert "Nothing is here" in response.text


def test_a_form_that_was_open_too_long_says_that_nothing_was_charged(settings):
    settings.ROOT_URLCONF = __name__

    response = Client(enforce_csrf_checks=True).post("/refused/")

    assert response.status_code == 403
    assert "Nothing was charged. Go back and press the button again." in response.text


def test_pages_hold_no_inline_script_and_only_nonced_style(client):
    text = client.get("/nowhere/").text

    assert "style=" not in text
    assert "<script>" not in text
    assert '<style nonce="' in text
    assert '<style nonce="">' not in text
