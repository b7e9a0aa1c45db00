"""The mailbox in a real browser: looks, links that leave the frame, scripts that do not run."""

import pytest
from django.test import Client

from tests.demo.letters import receive, receive_many
from tests.factories.browsing import HOST, Tab, browse

pytestmark = pytest.mark.usefixtures("demo_mode")
LOOKS = [(1280, "light"), (360, "dark")]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_accessible_and_fits(width: int, scheme: str):
    pages = ["/mailbox/?to=nobody@nowhere.example", "/mailbox/"]
    opened = receive_many(40)[-1]
    pages += [f"/mailbox/{opened.id}/?part={part}" for part in ("html", "text", "headers")]

    def visit(tab: Tab) -> list[str]:
        problems = []
        for page in pages:
            tab.page.goto(HOST + page)
            problems += [f"{page}: {problem}" for problem in tab.problems()]
        return problems

    assert browse(Client(), visit, width=width, scheme=scheme) == []


def test_link_in_a_message_opens_in_place_of_the_mailbox():
    row = receive(body='<a href="http://localhost/account/login/">Pay with card</a>')

    def visit(tab: Tab) -> str:
        tab.page.goto(f"{HOST}/mailbox/{row.id}/")
        tab.page.frame_locator("iframe").get_by_role("link", name="Pay with card").click()
        tab.page.wait_for_url("**/account/login/")
        return tab.page.evaluate("origin")

    assert browse(Client(), visit) == HOST


def test_scripts_of_a_message_do_not_run():
    attack = (
        '<script>top.hacked = document.title = "1"</script><img src="x:" onerror="top.hacked = document.title = 1">'
    )
    row = receive("</title><script>window.hacked = 1</script>", body=f"{attack}<p>Harmless</p>")

    def visit(tab: Tab) -> tuple[str, str, bool]:
        tab.page.goto(f"{HOST}/mailbox/{row.id}/")
        frame = tab.page.frame_locator("iframe")
        shown = frame.get_by_text("Harmless").inner_text()
        return shown, tab.page.evaluate("typeof window.hacked"), "hacked" in tab.page.title()

    assert browse(Client(), visit) == ("Harmless", "undefined", True)


def test_new_message_appears_by_itself_and_leaves_the_open_one_alone():
    first = receive("First")

    def visit(tab: Tab) -> tuple[list[str], str]:
        tab.page.goto(f"{HOST}/mailbox/{first.id}/")
        tab.page.locator("html").evaluate("e => { e.dataset.same = 'yes' }")
        tab.page.get_by_text("New message: Second").wait_for(state="attached")
        subjects = tab.page.locator(".mail-subject").all_inner_texts()
        return subjects, tab.page.locator("html").get_attribute("data-same")

    client = Arriving(lambda: receive("Second"))

    assert browse(client, visit) == (["Second", "First"], "yes")


class Arriving(Client):
    """A client for whom a message arrives once the page first asks for news."""

    def __init__(self, arrive: object) -> None:
        super().__init__()
        self._arrive = arrive

    def generic(self, method: str, path: str, *args: object, **kwargs: object) -> object:
        if "since=" in path and self._arrive:
            self._arrive()
            self._arrive = None
        return super().generic(method, path, *args, **kwargs)
