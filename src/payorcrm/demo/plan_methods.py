"""Plans which customers have saved cards and accounts; the sandbox's README says what each number does. Pure."""

from dataclasses import dataclass

from payorcrm.gateways.base import MethodKind

VISA, VISA_0027, MASTERCARD = "4242424242424242", "4000000050000027", "5555555555554444"
AMEX, DISCOVER = "378282246310005", "6011111111111117"
CARD_DECLINED, CARD_WITHOUT_FUNDS = "4000000000000002", "4000000000009995"
BANK, BANK_5456, BANK_UNDER_WAY = "000123456789", "000123455456", "000123458820"
BANK_WITHOUT_FUNDS, BANK_NOT_AUTHORIZED = "000222222001", "000222222010"

_CARDS = {VISA, VISA_0027, MASTERCARD, AMEX, DISCOVER, CARD_DECLINED, CARD_WITHOUT_FUNDS}
_FAILING = {CARD_DECLINED, CARD_WITHOUT_FUNDS, BANK_WITHOUT_FUNDS, BANK_NOT_AUTHORIZED, BANK_UNDER_WAY}
_ROUTING_NUMBERS = ("110000000", "123456780", "220000000")

# Places of companies in the list, and the test numbers that they have saved.
SAVERS: dict[int, tuple[str, ...]] = {
    0: (VISA_0027, BANK_5456),
    1: (VISA, CARD_WITHOUT_FUNDS),
    2: (MASTERCARD, CARD_DECLINED),
    3: (BANK, BANK_WITHOUT_FUNDS),
    4: (AMEX, BANK_NOT_AUTHORIZED),
    5: (VISA, BANK_UNDER_WAY),
    6: (DISCOVER, BANK_UNDER_WAY),
    7: (BANK, BANK_UNDER_WAY),
    8: (VISA,),
    9: (MASTERCARD, BANK),
    11: (BANK,),
    14: (AMEX,),
    19: (VISA,),
    24: (MASTERCARD, BANK),
    33: (DISCOVER,),
}


@dataclass(frozen=True, slots=True)
class PlannedMethod:
    """A card or bank account as its owner would enter it."""

    number: str
    customer: int

    @property
    def kind(self) -> MethodKind:
        return MethodKind.CARD if self.number in _CARDS else MethodKind.BANK_ACCOUNT

    @property
    def routing_number(self) -> str:
        return _ROUTING_NUMBERS[self.customer % len(_ROUTING_NUMBERS)]


def plan_methods() -> list[PlannedMethod]:
    """Return every saved method."""
    return [PlannedMethod(number, place) for place, numbers in SAVERS.items() for number in numbers]


def working_numbers(place: int) -> list[str]:
    """Return the numbers of a customer with which payments succeed."""
    return [number for number in SAVERS[place] if number not in _FAILING]
