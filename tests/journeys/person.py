"""A person in front of a browser: opens links, shows signs of life, fills in the fields, and looks at pages."""

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Literal
from zlib import crc32

from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, FrameLocator, Locator, Page, expect

if TYPE_CHECKING:
    from payorcrm.payments.models import Payment

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
# The address bar's own page is no resource that failed: the product answers these on purpose.
ANSWERS_ON_PURPOSE = ("status of 403", "status of 409", "status of 410", "status of 422")
# htmx notes what was under way when a person left the page; what failed to load, the browser notes itself.
LEFT_BEHIND = ("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")
EXPECTED = ANSWERS_ON_PURPOSE + LEFT_BEHIND
REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`Policy: ${event.violatedDirective} forbids ${event.blockedURI}`))"""
# Otherwise axe would measure colours in the middle of their change. What a closed part hides never comes to its end.
UNTIL_NOTHING_MOVES = """async () => {
    const moves = ({effect}) => effect.getTiming().iterations !== Infinity && effect.target.checkVisibility();
    const drawn = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
    do await drawn(); while (document.getAnimations().some(moves));
}"""
RUN_AXE = """(without) => axe.run(document, {
    resultTypes: ["violations"],
    rules: Object.fromEntries(without.map((rule) => [rule, {enabled: false}])),
}).then((result) => result.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.html} ${node.failureSummary}`)))"""
# The processor's fields have no background of their own; their hosted page has, and the same colours.
ONLY_FOR_WHOLE_PAGES = ["page-has-heading-one", "color-contrast"]
_LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (360, "dark"))
_OTHER_LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "dark"), (360, "light"))
NAME_OF_FOCUS = r"""() => {
    const it = document.activeElement;
    const name = it.labels?.[0]?.innerText || it.innerText || "";
    return name.split("(optional)")[0].replaceAll(/\s+/g, " ").trim();
}"""

_seen: set[tuple[str, ...]] = set()


class Person:
    """Somebody in front of one tab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, address: str) -> None:
        """Follow a link, without any sign of a person."""
        self.page.goto(address)

    def move(self) -> None:
        """Move the pointer, as people do."""
        self.page.mouse.move(300, 300)
        self.page.mouse.move(320, 310)

    def ask(self) -> None:
        """Move the pointer on a page that then asks for a confirmation by itself."""
        self.move()
        self.sees_title("One click left, in your inbox")

    def press(self, name: str) -> None:
        """Press the button of this name."""
        self.page.get_by_role("button", name=name).click()

    def sees(self, text: str) -> None:
        """Expect a text on the page."""
        expect(self.page.locator("body")).to_contain_text(text)

    def sees_title(self, text: str) -> None:
        """Expect a text in the page's one heading of the first level."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)

    def tab_to(self, name: str) -> None:
        """Press Tab until what has the focus has this name, in the page or in the processor's frame."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            self.page.wait_for_load_state()
            if any(name == frame.evaluate(NAME_OF_FOCUS) for frame in self.page.frames):
                return
        raise AssertionError(f"Tab does not lead to “{name}”")

    def look(self, variant: str = "") -> None:
        """Let axe look at the page, and at the processor's fields in it, narrow and wide, light and dark.

        Layout depends on the width and contrast on the scheme: half of the pages are looked at wide and light and
        narrow and dark, the other half the other way round. Once in a run for each kind of page; `variant` tells those
        apart that have the same address and heading.
        """
        kind = (_without_names(self.page.url), _without_names(self.page.locator("h1").inner_text()), variant)
        if kind in _seen:
            return
        _seen.add(kind)
        before = self.page.viewport_size
        is_even = crc32("".join(kind).encode()) % 2 == 0
        for width, scheme in _LOOKS if is_even else _OTHER_LOOKS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=scheme)
            problems = [problem for frame in self.page.frames if _is_ours(frame) for problem in problems_of(frame)]
            assert not problems, f"{kind} at {width}, {scheme}: {problems}"
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(before or {"width": 1280, "height": 900})

    def fields(self) -> FrameLocator:
        """Return the processor's fields in their frame."""
        return self.page.frame_locator("iframe")


def expect_payment(person: Person, address: str, payment: "Payment", status: str) -> None:
    """Expect a payment in a list of payments and, with its invoices, on its own page."""
    person.open(address)
    row = person.page.get_by_role("row").filter(has_text=payment.reference)
    for text in (status, str(payment.amount_money()), payment.method.last4):
        expect(row).to_contain_text(text)
    person.look(status)
    row.get_by_role("link", name=payment.reference).click()
    person.sees(status)
    for allocation in payment.allocations.select_related("invoice"):
        person.sees(allocation.invoice.number)
    person.look(status)


def enter_card(fields: FrameLocator | Page, number: str, *, cvc: str = "123") -> None:
    """Type a card into the processor's fields."""
    fields.get_by_label("Card number").fill(number)
    fields.get_by_label("Expiry date").fill("12/39")
    fields.get_by_label("Security code").fill(cvc)
    fields.get_by_label("Name on card").fill("Jo Miller")


def enter_account(fields: FrameLocator | Page, number: str, *, routing: str = "110000000", again: str = "") -> None:
    """Type a bank account into the processor's fields."""
    fields.get_by_label("Routing number").fill(routing)
    fields.get_by_label("Account number", exact=True).fill(number)
    fields.get_by_label("Account number again").fill(again or number)
    fields.get_by_label("Name on account").fill("Acme Tools")
    option(fields, "Business").check(force=True)


def option(fields: FrameLocator | Page, label: str) -> Locator:
    """Return a radio button by its label."""
    return fields.get_by_role("radio", name=label)


def problems_of(frame: Frame) -> list[str]:
    """Return what axe finds, and whether something sticks out of the screen."""
    if not frame.evaluate("typeof axe === 'object'"):
        frame.evaluate(AXE)
    frame.evaluate(UNTIL_NOTHING_MOVES)
    found: list[str] = frame.evaluate(RUN_AXE, ONLY_FOR_WHOLE_PAGES if frame.parent_frame else [])
    if frame.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than the screen")
    return found


def _is_ours(frame: Frame) -> bool:
    """Say whether a frame is part of the page: a mail in a closed frame is not, and is not drawn while out of sight."""
    return frame.parent_frame is None or frame.frame_element().get_attribute("sandbox") is None


def watch(context: BrowserContext, complaints: list[str]) -> None:
    """Collect what the consoles of a profile's pages complain of, and what the pages' policies forbid."""
    context.add_init_script(REPORT_VIOLATIONS)

    def note(message: ConsoleMessage) -> None:
        address = message.location.get("url", "")
        is_old_tab = "status of 404" in message.text and "/portal/" in address and "/static/" not in address
        if message.type == "error" and not is_old_tab and not any(each in message.text for each in EXPECTED):
            complaints.append(f"{address}: {message.text}")

    context.on("console", note)
    context.on("weberror", lambda error: complaints.append(str(error.error)))


def _without_names(text: str) -> str:
    """Return an address or a heading without tokens, numbers, references and amounts, which differ each time."""
    return re.sub(r"[\w-]{20,}|PAY-[\w-]+|[\d.,$]+", "…", text.split("?")[0])
