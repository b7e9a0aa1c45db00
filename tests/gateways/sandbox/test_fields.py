"""The fields in a real browser: the messages between frame and parent, formatting, and what axe finds."""

import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FrameLocator, Page, expect, sync_playwright

from payorcrm.gateways.base import MethodKind
from payorcrm.gateways.sandbox.gateway import SandboxGateway
from payorcrm.gateways.sandbox.provision import open_test_account
from tests.factories.chromium import ARGUMENTS, ensure_chromium
from tests.gateways.kit import request_for
from tests.gateways.sandbox.kit import SandboxKit

PARENT = """<!doctype html><html lang="en"><title>Parent</title><body>
<iframe id="fields" title="Payment fields" style="border:0;width:100%" src="{fields}"></iframe>
<script>
  window.heard = [];
  addEventListener("message", (event) => {{ if (event.origin === "{origin}") heard.push(event.data); }});
  const submit = () => document.getElementById("fields").contentWindow.postMessage(
    {{ source: "payorcrm", type: "submit" }}, "{origin}");
</script>"""


class Parent:
    """A page of a merchant's that frames the processor's fields."""

    def __init__(self, page: Page, gateway: SandboxGateway, url: str) -> None:
        self.page, self.gateway, self.url = page, gateway, url
        self.fields: FrameLocator = page.frame_locator("#fields")

    def open(self, kind: MethodKind) -> None:
        self.page.goto(f"{self.url}/{kind}")
        expect(self.fields.get_by_role("textbox").first).to_be_visible()

    def submit(self) -> dict[str, Any]:
        """Ask for the token, and return the answer."""
        self.page.evaluate("heard.length = 0; submit()")
        self.page.wait_for_function("heard.some((each) => each.type !== 'resize')")
        heard: list[dict[str, Any]] = self.page.evaluate("heard.filter((each) => each.type !== 'resize')")
        assert {each["source"] for each in heard} == {"payorcrm-fields"}
        return heard[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.set_default_timeout(10_000)
    yield page
    page.context.close()


@pytest.fixture
def parent(sandbox, page: Page) -> Iterator[Parent]:
    class Serving(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind = MethodKind.CARD if "card" in self.path else MethodKind.BANK_ACCOUNT
            session = gateway.start_saving_method(kind, return_url=f"{origin}/back/", parent_origin=origin)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PARENT.format(fields=session.fields_url, origin=session.origin).encode())

        def log_message(self, *args: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Serving)
    origin = f"http://127.0.0.1:{server.server_port}"
    gateway = SandboxGateway(open_test_account(f"Merchant {uuid.uuid4().hex}", "", origins=[origin]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Parent(page, gateway, origin)
    server.shutdown()
    server.server_close()


def test_card_typed_into_the_frame_becomes_a_token(parent: Parent) -> None:
    parent.open(MethodKind.CARD)
    fields = parent.fields
    fields.get_by_label("Card number").press_sequentially("5555555555554444")
    fields.get_by_label("Expiry date").press_sequentially("431")
    fields.get_by_label("Security code").press_sequentially("123")
    fields.get_by_label("Name on card").press_sequentially("Ada Example")

    expect(fields.get_by_label("Card number")).to_have_value("5555 5555 5555 4444")
    expect(fields.get_by_label("Expiry date")).to_have_value("04 / 31")
    expect(fields.locator("#brand")).to_have_text("Mastercard")
    answer = parent.submit()

    assert (answer["type"], answer["summary"]) == ("token", "Mastercard •••• 4444")
    method = parent.gateway.finish_saving_method(answer["token"], reusable=True)
    assert (method.brand, method.expiry_month, method.expiry_year) == ("mastercard", 4, 2031)


def test_bank_account_is_checked_as_it_is_typed(parent: Parent) -> None:
    parent.open(MethodKind.BANK_ACCOUNT)
    fields = parent.fields
    fields.get_by_label("Routing number").press_sequentially("110000001")

    expect(fields.locator("#routing_number-complaint")).to_contain_text("not a routing number")
    expect(fields.get_by_role("status")).to_contain_text("not a routing number")
    fields.get_by_label("Routing number").fill("110000000")
    expect(fields.locator("#bank")).to_have_text("First Sandbox Bank")
    expect(fields.get_by_role("status")).to_have_text("The routing number belongs to First Sandbox Bank.")
    fields.get_by_label("Account number", exact=True).fill("000123455456")
    fields.get_by_label("Account number again").fill("000123455457")
    fields.get_by_label("Name on account").fill("Ada Example")
    expect(fields.locator("#account_number_again-complaint")).to_contain_text("differ")
    fields.get_by_label("Account number again").fill("000123455456")
    fields.get_by_role("radio", name="Savings").check()
    answer = parent.submit()

    assert answer["summary"] == "First Sandbox Bank •••• 5456"
    assert parent.gateway.finish_saving_method(answer["token"], reusable=True).account_type == "savings"


def test_wrong_entry_is_told_to_the_parent_and_shown_beside_the_field(parent: Parent) -> None:
    parent.open(MethodKind.CARD)

    answer = parent.submit()

    assert answer["type"] == "error"
    assert answer["message"].startswith("Nothing was charged.")
    expect(parent.fields.locator("#number")).to_be_focused()
    expect(parent.fields.locator("#number")).to_have_attribute("aria-invalid", "true")
    expect(parent.fields.get_by_role("alert")).to_contain_text("Enter the card number.")


def test_enter_submits_nothing_in_the_frame(parent: Parent) -> None:
    parent.open(MethodKind.CARD)
    parent.fields.get_by_label("Card number").press("Enter")

    expect(parent.fields.get_by_label("Expiry date")).to_be_focused()
    assert parent.page.evaluate("heard.every((each) => each.type === 'resize')")


def test_frame_tells_its_height_as_it_grows(parent: Parent) -> None:
    parent.open(MethodKind.CARD)
    parent.page.wait_for_function("heard.length > 0")
    before = parent.page.evaluate("heard.at(-1).height")

    parent.submit()

    parent.page.wait_for_function(f"heard.some((each) => each.height > {before})")


def test_another_page_cannot_frame_the_fields(parent: Parent) -> None:
    parent.url = parent.url.replace("127.0.0.1", "localhost")
    parent.page.goto(f"{parent.url}/card")
    parent.page.wait_for_load_state("networkidle")

    assert parent.fields.get_by_label("Card number").count() == 0


def findings(page: Page) -> list[str]:
    return [f"{found['id']}: {found['help']}" for found in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(sandbox_kit: SandboxKit, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    asked = sandbox_kit.gateway.charge(request_for(sandbox_kit.method(MethodKind.CARD, "asks")))
    found = {}

    for kind in MethodKind:
        page.goto(sandbox_kit.hosted_url(kind))
        page.get_by_text("Test mode").click()
        found[f"{kind}"] = findings(page)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("alert").wait_for()
        found[f"{kind} with complaints"] = findings(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(asked.action_url)
    found["second step"] = findings(page)

    assert found == {name: [] for name in found}


def test_hosted_page_works_without_javascript(sandbox_kit: SandboxKit, browser: Browser) -> None:
    plain = browser.new_page(java_script_enabled=False)
    plain.route("**/back/**", lambda route: route.fulfill(body="Back"))
    plain.goto(sandbox_kit.hosted_url())
    plain.get_by_label("Card number").fill("4000 0000 5000 0027")
    plain.get_by_label("Expiry date").fill("12/31")
    plain.get_by_label("Security code").fill("123")
    plain.get_by_label("Name on card").fill("Ada Example")

    plain.get_by_role("button", name="Continue").click()

    plain.wait_for_url("**/back/?step=2&method_token=tok_*")
    plain.context.close()
