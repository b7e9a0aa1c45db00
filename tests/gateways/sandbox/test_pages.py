"""The processor's pages as a browser without JavaScript meets them, and the fence around them."""

import uuid
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import urllib3

from payorcrm.gateways.base import MethodKind, Outcome
from tests.gateways.kit import request_for
from tests.gateways.sandbox.kit import CARD, RETURN_URL, SandboxKit, post_form

BANK = {
    "routing_number": "110000000",
    "account_number": "000123455456",
    "account_number_again": "000123455456",
    "name": "Ada Example",
    "account_type": "savings",
    "holder_type": "business",
}


def get(url: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request("GET", url, redirect=False, retries=False)


def fields_url(kit: SandboxKit, parent: str) -> str:
    return kit.gateway.start_saving_method(MethodKind.CARD, return_url=RETURN_URL, parent_origin=parent).fields_url


def test_bank_account_entered_without_javascript_becomes_a_method(sandbox_kit: SandboxKit) -> None:
    answer = post_form(sandbox_kit.hosted_url(MethodKind.BANK_ACCOUNT), BANK)
    target = urlsplit(answer.headers["Location"])
    query = parse_qs(target.query)

    method = sandbox_kit.gateway.finish_saving_method(query["method_token"][0], reusable=False)

    assert answer.status == 303
    assert query["step"] == ["2"]
    assert (method.bank_name, method.last4) == ("First Sandbox Bank", "5456")
    assert (method.account_type, method.holder_type) == ("savings", "business")


def test_wrong_entry_is_shown_again_without_its_secrets(sandbox_kit: SandboxKit) -> None:
    answer = post_form(sandbox_kit.hosted_url(), CARD | {"expiry": "01 / 20", "name": 'Ada "A" <Example>'})
    page = answer.data.decode()

    assert answer.status == 422
    assert "This card has expired." in page
    assert "Ada &#34;A&#34; &lt;Example&gt;" in page
    assert 'value="01 / 20"' in page
    assert "4242 4242 4242 4242" not in page
    assert 'value="123"' not in page


def test_page_leads_back_to_registered_origins_alone(sandbox_kit: SandboxKit) -> None:
    hosted = sandbox_kit.hosted_url()
    elsewhere = hosted.replace(quote(RETURN_URL, safe=""), quote("https://evil.example/", safe=""))

    assert elsewhere != hosted
    assert get(hosted).status == 200
    assert get(elsewhere).status == 400
    assert post_form(elsewhere, CARD).status == 400


@pytest.mark.parametrize(
    "parent", ["https://evil.example", "", "javascript:alert(1)", "http://localhost:8000.evil.example"]
)
def test_fields_are_framed_by_registered_origins_alone(sandbox_kit: SandboxKit, parent: str) -> None:
    refused = get(fields_url(sandbox_kit, parent))

    assert refused.status == 400
    assert "frame-ancestors 'none'" in refused.headers["Content-Security-Policy"]


def test_fields_name_their_parent_and_allow_no_inline_script(sandbox_kit: SandboxKit) -> None:
    page = get(fields_url(sandbox_kit, "http://localhost:8000"))
    policy = page.headers["Content-Security-Policy"]

    assert page.status == 200
    assert "frame-ancestors http://localhost:8000" in policy
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"


def test_unknown_key_or_kind_shows_no_fields(sandbox_kit: SandboxKit) -> None:
    base = sandbox_kit.settings.SANDBOX_URL

    assert get(f"{base}/fields/card?key=pk_unknown&parent=http://localhost:8000").status == 400
    assert get(sandbox_kit.hosted_url().replace("/hosted/card", "/hosted/gold")).status == 400


def test_routing_number_is_checked_and_its_bank_named(sandbox_kit: SandboxKit) -> None:
    base = f"{sandbox_kit.settings.SANDBOX_URL}/fields/routing"

    assert get(f"{base}/123456780").json() == {"complaint": "", "bank_name": "Harbor Test Credit Union"}
    assert get(f"{base}/123456781").json()["complaint"]


@pytest.mark.parametrize("accent", ["red", "12345", "1234567", "}body{display:none", "%22"])
def test_accent_that_is_no_colour_is_left_out(sandbox_kit: SandboxKit, accent: str) -> None:
    page = get(f"{sandbox_kit.hosted_url()}&accent={quote(accent)}")

    assert page.status == 200
    assert "/accent/" not in page.data.decode()


def test_looking_at_the_second_step_changes_nothing(sandbox_kit: SandboxKit) -> None:
    request = request_for(sandbox_kit.method(MethodKind.CARD, "asks"))
    asked = sandbox_kit.gateway.charge(request)

    shown = get(asked.action_url)
    head = urllib3.request("HEAD", asked.action_url)

    assert (shown.status, head.status) == (200, 200)
    assert "$120.00" in shown.data.decode()
    assert sandbox_kit.gateway.look_up(request.idempotency_key).outcome is Outcome.ACTION_NEEDED


def test_first_answer_to_the_second_step_counts(sandbox_kit: SandboxKit) -> None:
    request = request_for(sandbox_kit.method(MethodKind.CARD, "asks"))
    asked = sandbox_kit.gateway.charge(request)

    first = post_form(asked.action_url, {"answer": "complete"})
    second = post_form(asked.action_url, {"answer": "fail"})

    assert (first.status, first.headers["Location"]) == (303, request.return_url)
    assert second.status == 303
    assert sandbox_kit.gateway.look_up(request.idempotency_key).outcome is Outcome.SUCCEEDED


def test_second_step_of_no_charge_is_not_found(sandbox_kit: SandboxKit) -> None:
    assert get(f"{sandbox_kit.settings.SANDBOX_URL}/challenge/ch_{uuid.uuid4().hex}").status == 404
