"""The first thing that a stranger sees."""

from playwright.sync_api import Page, expect


def test_stranger_is_asked_to_sign_in(page: Page) -> None:
    page.goto("/")

    expect(page.get_by_label("Password")).to_be_visible()
