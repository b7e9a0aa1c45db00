"""A stranger signs a business up in a real browser, and goes through the checklist to a reminder in the own inbox."""

from playwright.sync_api import Route, expect

from payorcrm.merchants.models import GatewayAccount, Merchant
from payorcrm.reminders.models import Rule
from tests.factories.inbox import Inbox, links_in, text_of
from tests.factories.system import RunningSystem
from tests.journeys.person import Person

ADDRESS = "ada@first-run.example"


def test_from_signing_up_to_a_test_reminder_in_the_own_inbox(
    system: RunningSystem, inbox: Inbox, person: Person
) -> None:
    _sign_up(person, inbox)
    person.sees("Setting up: 0 of 9 done")
    person.look("checklist")

    _enter_the_company(person)
    _choose_a_colour(person)
    _step(person, "Connect a processor")
    person.press("Connect Sandbox with one press")
    person.sees("Sandbox is connected. It moves no real money.")
    person.look("connected")
    _back(person)
    for step in (
        "Decide who mails come from",
        "Import your customers",
        "Import their invoices",
        "Invite customers to the portal",
    ):
        person.press(f"Not now ({step})")
    _step(person, "Choose rules")
    person.page.get_by_role("button", name="Switch on").first.click()
    _back(person)
    person.press("Send me a test")

    reminder = inbox.wait_for_mail(to=ADDRESS, subject="[Test]")
    assert "Hop & Barley “Ltd”" in text_of(reminder)
    person.sees("You are set up")
    person.press("Close the checklist")
    expect(person.page.locator("#setup")).to_have_count(0)
    merchant = Merchant.objects.get(reply_to=ADDRESS)
    assert (merchant.slug, merchant.time_zone, merchant.currency) == ("hop-barley-ltd", "Europe/London", "GBP")
    assert GatewayAccount.objects.filter(merchant=merchant).exists()
    assert Rule.objects.filter(merchant=merchant, is_active=True).count() == 1


def _sign_up(person: Person, inbox: Inbox) -> None:
    person.open("/account/login/")
    person.page.get_by_role("link", name="Open an account").click()
    person.page.get_by_label("Name of your business").fill("Hop & Barley “Ltd”")
    person.page.get_by_label("Your name").fill("Ada Reyes")
    person.page.get_by_label("Your e-mail address").fill(ADDRESS)
    person.page.get_by_label("Password").fill("three calm lobsters")
    person.page.get_by_text("Portal address, time zone and currency").click()
    expect(person.page.get_by_label("Address of your portal")).to_have_value("hop-barley-ltd")
    person.page.get_by_label("Time zone").select_option("Europe/London")
    expect(person.page.get_by_label("Currency")).to_have_value("GBP")
    person.look("unfolded")
    person.press("Mail me the link")
    person.sees_title("One press left, in your inbox")
    person.open(links_in(inbox.wait_for_mail(to=ADDRESS, subject="One press opens your account"))[0])
    person.look()
    person.press("Open the account")


def _enter_the_company(person: Person) -> None:
    _step(person, "Enter the company")
    person.page.get_by_label("Address", exact=False).first.fill("1 Quay Street\nPortland")
    person.press("Save")
    person.sees("The settings are saved.")
    _back(person)


def _choose_a_colour(person: Person) -> None:
    late: list[Route] = []  # who chooses before the script has come is followed all the same
    person.page.route("**/backoffice/branding*.js", lambda route: late.append(route))
    with person.page.expect_request("**/backoffice/branding*.js"):
        _step(person, "Choose the look")
    person.page.get_by_label("Accent colour").fill("#ffee88")
    late[0].continue_()
    person.page.unroute("**/backoffice/branding*.js")
    person.sees("Look twice: this colour is hard to see.")
    button = person.page.locator(".scheme.dark .button").first
    expect(button).to_have_css("background-color", "rgb(255, 238, 136)")
    person.look("a colour that is not saved")
    person.page.get_by_label("Accent colour").fill("#cc4422")
    person.sees("Buttons are in exactly this colour")
    person.press("Save")
    person.sees("The settings are saved.")
    _back(person)


def _step(person: Person, name: str) -> None:
    person.page.get_by_role("link", name=name).click()


def _back(person: Person) -> None:
    person.page.get_by_role("link", name="Back to setting up").click()
    person.sees("Setting up:")
