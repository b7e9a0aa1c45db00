"""What the tests of payment methods say again and again."""

from payorcrm.gateways.base import MethodKind
from payorcrm.merchants.models import Merchant
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from tests.gateways.sandbox.kit import post_form

NEEDS_DEPOSITS = "000111111113"
RIGHT, WRONG = (32, 45), (11, 12)
BANK_ACCOUNT = {
    "routing_number": "110000000",
    "name": "Jo Miller",
    "account_type": "checking",
    "holder_type": "business",
}


def entered(merchant: Merchant, number: str, *, expiry: str = "12/39", bank: bool = False) -> str:
    """Enter a card or account in the processor's fields and return the token that the browser would bring."""
    kind = MethodKind.BANK_ACCOUNT if bank else MethodKind.CARD
    line = gateway_of(gateway_account_of(merchant.id))
    url = line.start_saving_method(
        kind, return_url="http://localhost:8000/", parent_origin="http://localhost:8000"
    ).fields_url
    card = {"number": number, "expiry": expiry, "cvc": "1234" if number.startswith("3") else "123"}
    account = BANK_ACCOUNT | {"account_number": number, "account_number_again": number}
    return str(post_form(url, account if bank else card | {"name": "Jo Miller"}).json()["token"])
