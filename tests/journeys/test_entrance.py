"""The way into the portal in a real browser: invited, forgotten, registered, by passkey; and staff who only look."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from payorcrm.customers.invite import invite_customer
from payorcrm.customers.models import Customer, PortalAccess, Viewing
from tests.factories.inbox import text_of
from tests.factories.journey import Business, link_in, open_business
from tests.factories.models import PASSWORD, CustomerFactory, PortalAccessFactory
from tests.factories.system import RunningSystem
from tests.journeys.person import Person

OWN_PASSWORD = "seven green bicycles"


def test_invited_customer_presses_the_button_and_chooses_a_password(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    customer = _invited(business)

    person.open(link_in(_mail_to(business, customer, "Your access"), "Choose your password"))
    person.sees_title("Choose your password")
    person.sees(customer.company_name)
    person.look()
    _choose(person)

    person.sees("Sign out")
    person.page.wait_for_url("**/portal/**")


def test_entrance_does_not_move_while_it_loads(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    late: list[Route] = []  # the script that offers passkeys comes after the page stands
    person.page.route("**/portal/passkey*.js", lambda route: late.append(route))

    with person.page.expect_request("**/portal/passkey*.js"):
        person.page.goto(f"/c/{business.merchant.slug}/", wait_until="commit")
    parts = person.page.locator("main, main button, main a, main input:not([type=hidden])")
    offer = person.page.get_by_role("button", name="Sign in with a passkey")
    expect(person.page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(offer).to_be_hidden()
    before = _places(parts, but="passkey")
    late[0].continue_()
    expect(offer).to_be_visible()

    assert len(before) > 4
    assert _places(parts, but="passkey") == before


def _places(parts: Locator, *, but: str) -> list[Any]:
    """Return what is in sight, and where; but for what has a word in its text."""
    return [
        (words, place)
        for part in parts.all()
        if (place := part.bounding_box()) and but not in (words := " ".join((part.text_content() or "").split()))
    ]


def test_invited_customer_signs_in_by_hand_and_nothing_opens_before_an_own_password(
    system: RunningSystem, person: Person
) -> None:
    business = open_business(system, "120.00")
    customer = _invited(business)
    mail = text_of(_mail_to(business, customer, "Your access"))
    password = re.search(r"\b(\w{4}-\w{4}-\w{4}-\w{4})\b", mail)
    assert password

    person.open(f"/c/{business.merchant.slug}/")
    person.look()
    _sign_in(person, _address_of(customer), password.group(1).upper())
    person.sees_title("Choose your password")
    person.look("by hand")
    person.open("/portal/payments/")
    person.sees_title("Choose your password")
    _choose(person)
    person.page.wait_for_url("**/portal/**")
    person.press("Sign out")

    person.sees_title(f"Sign in to {business.merchant.name}")
    _sign_in(person, _address_of(customer), OWN_PASSWORD)
    person.sees("Sign out")


def test_forgotten_password_is_replaced_at_the_merchants_entrance(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")

    person.open(f"/c/{business.merchant.slug}/")
    person.page.get_by_role("link", name="Forgot password").click()
    person.look()
    person.page.get_by_label("E-mail address").fill(business.payer.email)
    person.press("Mail me a link")
    person.sees_title("Look into your inbox")
    person.look()
    link = link_in(business.inbox.wait_for_mail(to=business.payer.email, subject="new password"), "Choose")
    person.open(link)
    person.look("forgotten")
    _choose(person)
    person.page.wait_for_url("**/portal/**")

    person.open(link)
    person.sees_title("This link no longer works")
    person.look()


def test_customer_registers_with_an_invoice_number(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    PortalAccess.objects.filter(customer=business.customer).delete()
    (invoice,) = business.bill("80.00")

    person.open(f"/c/{business.merchant.slug}/")
    person.page.get_by_role("link", name="Register").click()
    person.look()
    person.page.get_by_label("E-mail address").fill(business.address)
    person.page.get_by_label("Number of one of your invoices").fill(invoice.number)
    person.press("Mail me the way in")
    person.sees_title("Look into your inbox")

    person.open(link_in(business.mail("Your access"), "Choose your password"))
    _choose(person)
    person.sees("Sign out")


def test_user_of_two_customers_switches_and_an_old_tab_fails_kindly(
    system: RunningSystem, person: Person, context: BrowserContext
) -> None:
    business = open_business(system, "120.00")
    other = PortalAccessFactory(user=business.payer, customer=CustomerFactory(company_name="Zebra Prints")).customer
    (invoice,) = business.bill("80.00")
    person.open(f"/c/{business.merchant.slug}/")
    _sign_in(person, business.payer.email, PASSWORD)
    person.sees(business.customer.company_name)
    old_tab = Person(context.new_page())
    old_tab.open(f"/portal/invoices/{invoice.id}/")
    old_tab.sees(invoice.number)

    person.page.get_by_role("link", name="Switch account").click()
    person.sees_title("Switch account")
    person.look()
    person.press(other.company_name)
    person.sees(other.company_name)

    old_tab.page.reload()
    old_tab.sees("This page may belong to another of your accounts")


def test_staff_who_view_as_a_customer_cannot_pay(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    person.open("/account/login/")
    _sign_in(person, business.owner.email, PASSWORD)
    person.page.wait_for_url(f"**/m/{business.merchant.slug}/")

    _post(person, f"/m/{business.merchant.slug}/customers/{business.customer.id}/view-as/")
    person.sees(f"You see the portal as {business.customer.company_name}. You cannot pay or change anything.")
    person.look("viewing")
    _post(person, "/portal/customer/")
    person.sees("Nothing was changed, and nothing can be paid")
    person.open("/portal/payments/")
    person.press("End this view")

    person.page.wait_for_url(f"**/customers/{business.customer.id}/")
    viewing = Viewing.objects.get(customer=business.customer)
    assert viewing.user == business.owner
    assert viewing.ended_at


def test_passkey_is_added_is_told_by_mail_and_signs_in_alone(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    _give_authenticator(person.page)
    person.open(f"/c/{business.merchant.slug}/")
    _sign_in(person, business.payer.email, PASSWORD)
    person.page.wait_for_url("**/portal/**")

    person.open("/portal/security/")
    person.look()
    person.page.get_by_role("link", name="Add a passkey").click()
    person.sees_title("Confirm that it is you")
    person.look()
    person.page.get_by_label("Password").fill(PASSWORD)
    person.press("Go on")
    person.sees_title("Add a passkey")
    person.look()
    person.press("Add a passkey")
    person.sees_title("Security")
    person.sees("My passkey")
    person.look("with a passkey")
    told = system.inbox.wait_for_mail(to=business.payer.email, subject="A passkey was added to your sign-in")
    assert f"/c/{business.merchant.slug}/password/" in text_of(told)
    person.open("/portal/sessions/")
    person.sees("This browser")
    person.look()
    person.press("Sign out everywhere")
    person.sees_title("Sign in to")
    person.press("Sign in with a passkey")

    person.page.wait_for_url("**/portal/**")
    person.sees("Sign out")


def test_customer_signs_in_by_keyboard_alone(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    keyboard = person.page.keyboard

    person.open(f"/c/{business.merchant.slug}/")
    person.tab_to("Email")
    keyboard.type(business.payer.email)
    person.tab_to("Password")
    keyboard.type(PASSWORD)
    person.tab_to("Sign in")
    keyboard.press("Enter")

    person.page.wait_for_url("**/portal/**")


def test_authenticator_app_is_set_up_and_asked_for(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    person.open(f"/c/{business.merchant.slug}/")
    _sign_in(person, business.payer.email, PASSWORD)
    person.open("/portal/security/")
    person.page.get_by_role("link", name="Set up an app").click()
    person.page.get_by_label("Password").fill(PASSWORD)
    person.press("Go on")
    person.sees_title("Set up an authenticator app")
    person.look()
    secret = person.page.get_by_label("Key", exact=True).input_value()
    person.page.get_by_label("Authenticator code").fill(_code_of(secret))
    person.press("Switch it on")
    person.sees_title("Recovery codes")
    person.look()
    recovery_code = person.page.locator(".codes li").first.inner_text()
    person.open("/portal/security/")
    person.look("with an app")
    person.press("Sign out")

    _sign_in(person, business.payer.email, PASSWORD)
    person.sees_title("One more step")
    person.look()
    person.page.get_by_label("Code").fill(recovery_code)
    person.page.get_by_role("button", name="Sign in").click()
    person.page.wait_for_url("**/portal/**")


def test_failed_passkey_says_so_and_the_password_still_works(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    _give_authenticator(person.page, is_present=False)
    person.open(f"/c/{business.merchant.slug}/")

    person.press("Sign in with a passkey")
    person.sees("The passkey did not work")
    _sign_in(person, business.payer.email, PASSWORD)

    person.page.wait_for_url("**/portal/**")


@pytest.mark.parametrize("options", [{"width": 360}, {"java_script_enabled": False}], ids=["telephone", "no scripts"])
def test_first_sign_in_on_a_telephone_and_without_scripts(
    system: RunningSystem, new_profile: Callable[..., BrowserContext], options: dict[str, Any]
) -> None:
    business = open_business(system, "120.00")
    customer = _invited(business)
    someone = Person(new_profile(**options).new_page())

    someone.open(f"/c/{business.merchant.slug}/")
    expect(someone.page.get_by_role("button", name="Sign in with a passkey")).to_have_count(int("width" in options))
    someone.open(link_in(_mail_to(business, customer, "Your access"), "Choose your password"))
    _choose(someone)

    someone.sees("Sign out")


def _invited(business: Business) -> Customer:
    customer: Customer = CustomerFactory(merchant=business.merchant)
    invite_customer(customer=customer, invited_by=business.owner, now=datetime.now(UTC))
    return customer


def _address_of(customer: Customer) -> str:
    return customer.contacts.get(is_primary=True).email


def _mail_to(business: Business, customer: Customer, subject: str) -> EmailMessage:
    return business.inbox.wait_for_mail(to=_address_of(customer), subject=subject)


def _choose(person: Person) -> None:
    person.page.get_by_label("New password", exact=True).fill(OWN_PASSWORD)
    person.page.get_by_label("New password again").fill(OWN_PASSWORD)
    person.press("Save and sign in")


def _sign_in(person: Person, email: str, password: str) -> None:
    person.page.get_by_label("Email").fill(email)
    person.page.get_by_label("Password", exact=True).fill(password)
    person.page.get_by_role("button", name="Sign in", exact=True).click()


def _code_of(secret: str) -> str:
    code: str = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    return code


def _post(person: Person, address: str) -> None:
    """Press a button that leads to an address, on a page that has any form."""
    button = person.page.locator("form:has([name=csrfmiddlewaretoken])").first
    button.evaluate("(form, address) => { form.action = address; form.submit(); }", address)
    person.page.wait_for_load_state()


def _give_authenticator(page: Page, *, is_present: bool = True) -> None:
    """Give the browser a built-in authenticator that says yes, or no, without anybody there."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": is_present,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
