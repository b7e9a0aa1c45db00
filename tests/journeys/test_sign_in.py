"""Signing in, a forgotten password, and ending reminders."""

from datetime import UTC, datetime
from email.message import EmailMessage

import urllib3
from playwright.sync_api import expect

from payorcrm.reminders.select import overdue_summary
from tests.factories.journey import link_in, open_business
from tests.factories.models import PASSWORD
from tests.factories.system import RunningSystem
from tests.journeys.person import Person

NEW_PASSWORD = "seven green bicycles"


def test_customer_signs_in_and_sees_no_payments_yet(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")

    person.open("/")
    person.look()
    _sign_in(person, business.payer.email, PASSWORD)
    person.page.wait_for_url("**/portal/invoices/")
    person.open("/portal/payments/")

    person.sees("No payments yet")
    person.look()


def test_forgotten_password_is_replaced_from_a_mail(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    person.open("/account/password/reset/")
    person.look()
    person.page.get_by_label("Email").fill(business.owner.email)
    person.page.locator("main button").click()
    expect(person.page.get_by_label("Email")).to_have_count(0)
    person.look()

    person.open(_first_link(system.inbox.wait_for_mail(to=business.owner.email)))
    person.look()
    for box in person.page.locator("input[type=password]").all():
        box.fill(NEW_PASSWORD)
    person.page.locator("main button").click()
    expect(person.page.locator("input[type=password]")).to_have_count(0)
    person.look()
    person.open("/account/login/")
    _sign_in(person, business.owner.email, NEW_PASSWORD)

    person.page.wait_for_url(f"**/m/{business.merchant.slug}/")
    person.look()


def test_person_ends_reminders_and_takes_it_back(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")

    person.open(link_in(business.remind(), "nsubscribe"))
    person.sees_title("Stop payment reminders?")
    person.look()
    person.press("Stop reminders")
    person.sees_title("Reminders are switched off")
    person.look()
    assert overdue_summary(business.merchant, datetime.now(UTC)).mail_count == 0
    person.press("Switch reminders on again")

    person.sees_title("Stop payment reminders?")
    business.customer.refresh_from_db()
    assert business.customer.unsubscribed_at is None


def test_mail_program_ends_reminders_with_one_post(system: RunningSystem) -> None:
    business = open_business(system, "120.00")
    reminder = business.remind()

    answer = urllib3.request(
        "POST",
        reminder["List-Unsubscribe"].strip().strip("<>"),
        body="List-Unsubscribe=One-Click",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        redirect=False,
    )

    # RFC 8058, section 3.1: the answer to the post must not be a redirection.
    assert answer.status == 200
    assert reminder["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    business.customer.refresh_from_db()
    assert business.customer.unsubscribed_at is not None
    assert overdue_summary(business.merchant, datetime.now(UTC)).mail_count == 0


def _sign_in(person: Person, email: str, password: str) -> None:
    person.page.get_by_label("Email").fill(email)
    person.page.get_by_label("Password", exact=True).fill(password)
    person.page.locator("main button[type=submit], main button").first.click()


def _first_link(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    return next(word for word in str(text.get_content()).split() if word.startswith("http") and "reset" in word)
