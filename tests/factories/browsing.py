"""A browser whose requests Django's test client answers: real pages, policies and styles in the test's transaction.

The browser lives in a thread of its own, because Playwright keeps an event loop in its thread, and Django's connections
do not cross one. The test's thread answers. All tests of a process share one browser; each has a profile of its own.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue
from typing import Any, Literal, TypeVar

from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, Playwright, Request, Route, sync_playwright

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
CUT_OFF = """() => [...document.querySelectorAll("main :is(.flush, #list)")].filter(
  (each) => each.scrollWidth > each.clientWidth + 1
).map((each) => `wider than its panel: ${each.innerText.slice(0, 60)}`)"""
Result = TypeVar("Result")


@dataclass
class Tab:
    """A page and what its console complained of."""

    page: Page
    complaints: list[str]
    in_test: Callable[[Callable[[], Any]], Any]
    """Runs something in the test's thread, which alone has the test's transaction, and returns what that returns."""

    def problems(self) -> list[str]:
        """Return what axe finds, whether something sticks out, and what the console said since the last call."""
        violations = Axe().run(self.page).response["violations"]
        found = [
            f"{each['id']}: {each['nodes'][0]['html']} {each['nodes'][0]['failureSummary']}" for each in violations
        ]
        if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("wider than the screen")
        found += self.page.evaluate(CUT_OFF)
        found += self.page.evaluate(RUNS_OUT)
        found += self.complaints
        self.complaints.clear()
        return found


class _Chromium:
    """A browser that starts when it is first needed, and the only thread that may speak with it."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1)
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def new_page(self, width: int, scheme: Literal["light", "dark"]) -> Page:
        """Return a page in a profile of its own; to be called in the thread."""
        if self._browser is None:
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(executable_path=ensure_chromium(), args=ARGUMENTS)
        return self._browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def stop(self) -> None:
        """End the browser and its thread, if there is one."""
        self.thread.submit(self._stop).result()
        self.thread.shutdown()

    def _stop(self) -> None:
        if self._browser and self._playwright:
            self._browser.close()
            self._playwright.stop()


_chromium = _Chromium()


def stop_browser() -> None:
    """End the browser that `browse` has started."""
    _chromium.stop()


def browse(
    client: Client, visit: Callable[[Tab], Result], *, width: int = 1280, scheme: Literal["light", "dark"] = "light"
) -> Result:
    """Return what `visit` returns, called with a tab in which `client` is who asks."""
    asked: Queue[tuple[Callable[[], Any], Future[Any]] | None] = Queue()
    visited = _chromium.thread.submit(_open_and_visit, client, asked, visit, width, scheme)
    while question := asked.get():
        find_out, answer = question
        try:
            answer.set_result(find_out())
        except Exception as error:  # noqa: BLE001 (raised again in the browser's thread)
            answer.set_exception(error)
            break
    return visited.result()


def _open_and_visit(
    client: Client, asked: Queue[Any], visit: Callable[[Tab], Any], width: int, scheme: Literal["light", "dark"]
) -> Any:
    def in_test(find_out: Callable[[], Any]) -> Any:
        answer: Future[Any] = Future()
        asked.put((find_out, answer))
        return answer.result()

    def ask(route: Route) -> None:
        request = Asked.of(route.request)
        route.fulfill(**in_test(lambda: _answer(client, request)))

    try:
        page = _chromium.new_page(width, scheme)
        try:
            page.set_default_timeout(30_000)
            tab = Tab(page, [], in_test)
            page.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
            page.on("pageerror", lambda error: tab.complaints.append(str(error)))
            page.route("**/*", ask)
            return visit(tab)
        finally:
            page.close()
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
