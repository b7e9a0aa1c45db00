"""A browser whose requests Django's test client answers: real pages, policies and styles in the test's transaction.

The browser lives in a thread of its own, because Playwright keeps an event loop in its thread, and Django's connections
do not cross one. The test's thread answers.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue
from typing import Any, TypeVar

from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, Request, Route, sync_playwright

from tests.factories.chromium import ARGUMENTS, ensure_chromium

HOST = "http://localhost"
# The text's own right edge is compared: a box may keep its width while its text runs on.
RUNS_OUT = """() => [...document.querySelectorAll("dt, dd")].filter((each) => {
  const texts = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const edge = each.getBoundingClientRect().right + 1;
  while (texts.nextNode()) {
    range.selectNodeContents(texts.currentNode);
    const isSeen = !texts.currentNode.parentElement.closest(".unseen");
    if (isSeen && range.getBoundingClientRect().right > edge) return true;
  }
  return false;
}).map((each) => `runs out of its place: ${each.textContent.trim()}`)"""
Result = TypeVar("Result")


@dataclass
class Tab:
    """A page and what its console complained of."""

    page: Page
    complaints: list[str]

    def problems(self) -> list[str]:
        """Return what axe finds, whether something sticks out, and what the console said since the last call."""
        violations = Axe().run(self.page).response["violations"]
        found = [
            f"{each['id']}: {each['nodes'][0]['html']} {each['nodes'][0]['failureSummary']}" for each in violations
        ]
        if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("wider than the screen")
        found += self.page.evaluate(RUNS_OUT)
        found += self.complaints
        self.complaints.clear()
        return found


def browse(client: Client, visit: Callable[[Tab], Result], *, width: int = 1280, scheme: str = "light") -> Result:
    """Return what `visit` returns, called with a tab in which `client` is who asks."""
    asked: Queue[tuple[Asked, Future[Any]] | None] = Queue()
    with ThreadPoolExecutor(1) as thread:
        visited = thread.submit(_open_and_visit, asked, visit, width, scheme)
        while question := asked.get():
            asked_for, answer = question
            try:
                answer.set_result(_answer(client, asked_for))
            except Exception as error:  # noqa: BLE001 (raised again in the browser's thread)
                answer.set_exception(error)
                break
        return visited.result()


def _open_and_visit(asked: Queue[Any], visit: Callable[[Tab], Any], width: int, scheme: str) -> Any:
    def ask(route: Route) -> None:
        answer: Future[dict[str, Any]] = Future()
        asked.put((Asked.of(route.request), answer))
        route.fulfill(**answer.result())

    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=ensure_chromium(), args=ARGUMENTS)
            page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.set_default_timeout(10_000)
            tab = Tab(page, [])
            page.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
            page.on("pageerror", lambda error: tab.complaints.append(str(error)))
            page.route("**/*", ask)
            result = visit(tab)
            chromium.close()
            return result
    finally:
        asked.put(None)


@dataclass(frozen=True)
class Asked:
    """One request of the browser, read in the browser's thread."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, request: Request) -> "Asked":
        return cls(request.method, request.url.removeprefix(HOST), request.headers, request.post_data_buffer or b"")


def _answer(client: Client, asked: Asked) -> dict[str, Any]:
    headers = {name: value for name, value in asked.headers.items() if name not in ("cookie", "host", "content-type")}
    response = client.generic(
        asked.method,
        asked.path,
        asked.body,
        asked.headers.get("content-type", "application/octet-stream"),
        headers=headers,
    )
    if 300 <= response.status_code < 400:
        # A browser does not follow a redirection that it was handed; it asks for the last page's address itself.
        return _answer(client, Asked("GET", response["Location"], asked.headers, b""))
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return {"status": response.status_code, "headers": dict(response.headers), "body": body}
