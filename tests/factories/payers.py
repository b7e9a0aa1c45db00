"""Payers without a browser: they press the buttons of pages by plain HTTP, many at the same moment."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import urllib3
from django.http import HttpResponse

from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.confirm import request_confirmation
from payorcrm.payments.links import CARD, payment_token
from payorcrm.payments.models import PaymentRequest
from payorcrm.payments.queries import due_of
from payorcrm.payments.secrets import secrets_of
from payorcrm.portal.asked import remember_asking
from payorcrm.portal.forms import new_checkout
from tests.factories.journey import Business, session_of
from tests.factories.system import RunningSystem

ANTI_FORGERY = "a" * 32
CUT_OFF = 0


@dataclass(frozen=True)
class Press:
    """A button that is about to be pressed: where it posts to, what it sends, and the browser's cookies."""

    address: str
    sent: dict[str, str]
    cookies: dict[str, str]
    key: str

    def now(self) -> int:
        """Press it; return the status of the answer, or `CUT_OFF`."""
        try:
            return post_form(self.address, self.sent, self.cookies).status
        except urllib3.exceptions.HTTPError:
            return CUT_OFF


def post_form(address: str, sent: dict[str, str], cookies: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
    """Post a form with the token against forgery that belongs to it, and follow no redirection."""
    kept = {"csrf": ANTI_FORGERY} | (cookies or {})
    return urllib3.request(
        "POST",
        address,
        body=urlencode({"csrfmiddlewaretoken": ANTI_FORGERY} | sent),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={value}" for name, value in kept.items()),
        },
        redirect=False,
        retries=False,
        timeout=90,
    )


def press_of_confirmation(system: RunningSystem, request: PaymentRequest, method: PaymentMethod) -> Press:
    """Ask for a confirmation and return the press that its page makes in the browser that asked."""
    now = datetime.now(UTC)
    confirmation = request_confirmation(request=request, method=method, now=now).confirmation
    response = HttpResponse()
    remember_asking(response, confirmation, now)
    return Press(
        address=f"{system.url}/confirm/{secrets_of(confirmation).token}/",
        sent={"agreed": str(confirmation.amount)},
        cookies={name: morsel.value for name, morsel in response.cookies.items()},
        key=f"confirmation:{confirmation.id}",
    )


def press_of_new_card(system: RunningSystem, business: Business, request: PaymentRequest, number: str) -> Press:
    """Enter a card at the processor and return the press of the pay page's button."""
    now = datetime.now(UTC)
    return Press(
        address=f"{system.url}/pay/{payment_token(request.id, CARD, now)}/",
        sent={
            "checkout": new_checkout(request, due_of(request).total, now),
            "method_token": _entered(system, business, number),
        },
        cookies={},
        key="",
    )


def press_in_portal(system: RunningSystem, business: Business, request: PaymentRequest, method: PaymentMethod) -> Press:
    """Return the press of the pay page's button by somebody who has signed in."""
    checkout = new_checkout(request, due_of(request).total, datetime.now(UTC))
    return Press(
        address=f"{system.url}/portal/pay/{request.id}/?with={method.id}",
        sent={"checkout": checkout, "accept": "yes"},
        cookies={"session": session_of(business.payer)},
        key="",
    )


def _entered(system: RunningSystem, business: Business, number: str) -> str:
    answer = post_form(
        f"{system.processor_url}/fields/card?key={business.account.public_key}&parent={system.url}",
        {"number": number, "expiry": "12/39", "cvc": "1234" if number.startswith("3") else "123", "name": "Jo Miller"},
    )
    return str(answer.json()["token"])
