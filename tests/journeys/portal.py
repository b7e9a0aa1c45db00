"""What a customer's clerk does in the portal again and again: signs in, chooses, pays, looks a payment up."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage

from playwright.sync_api import Locator

from payorcrm.core.models import User
from payorcrm.customers.invite import invite_customer
from payorcrm.customers.models import PortalAccess
from payorcrm.gateways.sandbox.provision import return_debit, settle_debit
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payments.models import Payment
from tests.factories.inbox import text_of
from tests.factories.journey import Business, open_business, state_of, wait_until
from tests.factories.models import PASSWORD
from tests.factories.system import RunningSystem
from tests.journeys.person import Person

OWN_PASSWORD = "seven green bicycles"
_FIRST_PASSWORD = re.compile(r"\b[0-9a-z]{4}(?:-[0-9a-z]{4}){3}\b")
_COLUMNS = ("gateway_reference", "idempotency_key", "amount", "state")


@dataclass(frozen=True)
class Pdf:
    """A document as it came: its bytes and its file name."""

    content: bytes
    name: str


def business_without_logins(system: RunningSystem, *amounts: str) -> Business:
    """Make a business whose customer nobody can sign in for yet."""
    business = open_business(system, *amounts)
    PortalAccess.objects.filter(customer=business.customer).delete()
    return business


def invite(business: Business) -> None:
    """Invite the address on file."""
    invite_customer(customer=business.customer, invited_by=business.owner, now=datetime.now(UTC))


def with_invited_payer(business: Business) -> Business:
    """Return the business with whoever was invited at the address on file as its payer."""
    return replace(business, payer=User.objects.get(email=business.address))


def first_password_in(mail: EmailMessage) -> str:
    """Return the generated password of an invitation."""
    found = _FIRST_PASSWORD.search(text_of(mail))
    assert found, "the mail has no password"
    return found[0]


def choose_password(person: Person) -> None:
    """Choose an own password on the page that asks for it."""
    person.sees_title("Choose your password")
    person.page.get_by_label("New password", exact=True).fill(OWN_PASSWORD)
    person.page.get_by_label("New password again").fill(OWN_PASSWORD)
    person.press("Save and sign in")
    person.sees_title("Invoices")


def enter_portal(person: Person, business: Business, *, email: str = "", password: str = PASSWORD) -> None:
    """Sign in at the merchant's entrance."""
    person.open(f"/c/{business.merchant.slug}/")
    fill_in_sign_in(person, email or business.payer.email, password)


def fill_in_sign_in(person: Person, email: str, password: str = PASSWORD) -> None:
    """Fill in the sign-in and send it."""
    person.page.locator("input[name=login]").fill(email)
    person.page.locator("input[name=password]").fill(password)
    person.page.locator("form.form button[type=submit]").click()


def invoices_of(business: Business) -> list[Invoice]:
    """Return the customer's invoices, the largest first."""
    return list(Invoice.objects.filter(customer=business.customer).order_by("-total"))


def choose(person: Person, *invoices: Invoice) -> None:
    """Choose invoices in the list and go on to pay them."""
    person.open("/portal/invoices/")
    for invoice in invoices:
        tick_box(person, invoice).check()
    pay_button(person).click()
    person.page.wait_for_url("**/portal/pay/**")


def tick_box(person: Person, invoice: Invoice) -> Locator:
    """Return the box before an invoice."""
    return person.page.get_by_role("checkbox", name=invoice.number)


def pay_button(person: Person) -> Locator:
    """Return the button below the list."""
    return person.page.locator(".paybar button.primary")


def last_payment(business: Business) -> Payment:
    """Return the newest payment."""
    return business.payments()[-1]


def settle(business: Business, payment: Payment) -> None:
    """Let the bank clear a debit, and wait until the portal knows."""
    settle_debit(business.account.credentials(), payment.gateway_reference)
    wait_until(lambda: state_of(payment.id) == "succeeded", "the debit settles")


def send_back(business: Business, payment: Payment, code: str) -> None:
    """Let the bank send a debit back, and wait until the portal knows."""
    return_debit(business.account.credentials(), payment.gateway_reference, code)
    wait_until(lambda: state_of(payment.id) == "returned", "the debit comes back")


def assert_processor_agrees(business: Business) -> None:
    """Check that the processor has recorded the payments and nothing else, and that the books agree."""
    recorded = [(charge.id, charge.key, charge.amount, charge.status) for charge in business.charges()]

    assert [tuple(getattr(payment, name) for name in _COLUMNS) for payment in business.payments()] == recorded
    assert check_books() == []


def file_behind(person: Person, link: str) -> Pdf:
    """Return the file behind a link of the page, as the browser fetches it."""
    address = person.page.get_by_role("link", name=link).get_attribute("href")
    answer = person.page.context.request.get(f"{person.page.url.split('/portal/')[0]}{address}")
    assert answer.ok, f"{link}: {answer.status}"
    return Pdf(answer.body(), answer.headers.get("content-disposition", ""))
