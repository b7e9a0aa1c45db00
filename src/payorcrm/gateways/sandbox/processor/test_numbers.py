"""The one table of test numbers: what each card and bank account does. The README shows the same table.

A behaviour is a word, for some followed by a colon and a code: `declines:insufficient_funds`, `returns:R01`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Behaviour(StrEnum):
    """What a test number does when it is charged."""

    SUCCEEDS = "succeeds"
    DECLINES = "declines"
    ASKS = "asks"
    HANGS_AFTER = "hangs_after"
    HANGS_BEFORE = "hangs_before"
    RETURNS = "returns"
    RETURNS_LATE = "returns_late"
    STAYS_PENDING = "stays_pending"
    NEEDS_DEPOSITS = "needs_deposits"
    REFUSED_AT_ENTRY = "refused_at_entry"


@dataclass(frozen=True, slots=True)
class TestNumber:
    """A number, its behaviour, and the words for it."""

    __test__ = False

    number: str
    behaviour: str
    meaning: str


CARDS = (
    TestNumber("4242424242424242", "succeeds", "Visa, succeeds"),
    TestNumber("4000000050000027", "succeeds", "Visa ending 0027, succeeds"),
    TestNumber("5555555555554444", "succeeds", "Mastercard, succeeds"),
    TestNumber("378282246310005", "succeeds", "American Express, succeeds"),
    TestNumber("6011111111111117", "succeeds", "Discover, succeeds"),
    TestNumber("4000000000000002", "declines:card_declined", "Declined"),
    TestNumber("4000000000009995", "declines:insufficient_funds", "Declined: insufficient funds"),
    TestNumber("4000000000000069", "declines:card_expired", "Declined: card expired"),
    TestNumber("4000000000000127", "declines:cvc_mismatch", "Declined: wrong security code"),
    TestNumber("4000000000006975", "declines:limit_exceeded", "Declined: over the card's limit"),
    TestNumber("4000002760003184", "asks", "Needs a second step"),
    TestNumber("4100000000081001", "hangs_after", "Times out after charging"),
    TestNumber("4100000000052002", "hangs_before", "Times out before charging"),
)

BANK_ACCOUNTS = (
    TestNumber("000123456789", "succeeds", "Settles"),
    TestNumber("000123455456", "succeeds", "Ends in 5456, settles"),
    TestNumber("000222222001", "returns:R01", "Returned R01: insufficient funds"),
    TestNumber("000222222002", "returns:R02", "Returned R02: account closed"),
    TestNumber("000222222003", "returns:R03", "Returned R03: no such account"),
    TestNumber("000222222004", "returns:R04", "Returned R04: invalid account number"),
    TestNumber("000222222008", "returns:R08", "Returned R08: payment stopped"),
    TestNumber("000222222009", "returns:R09", "Returned R09: uncollected funds"),
    TestNumber("000222222010", "returns_late:R10", "Settles, later returned R10: not authorized"),
    TestNumber("000222222029", "returns_late:R29", "Settles, later returned R29: business did not authorize"),
    TestNumber("000111111113", "needs_deposits", "Needs two test deposits first: 0.32 and 0.45. Then settles"),
    TestNumber("000123458820", "stays_pending", "Ends in 8820, stays pending until it is told to settle or return"),
    TestNumber("000333333001", "declines:account_closed", "Declined at once: account closed"),
    TestNumber("000333333002", "declines:account_not_found", "Declined at once: no such account"),
    TestNumber("000333333101", "hangs_after", "Times out after charging, then settles"),
    TestNumber("000333333102", "hangs_before", "Times out before charging"),
    TestNumber("000444444001", "refused_at_entry", "Refused when entered"),
)

# What the two deposits to an account that needs them are worth, in cents.
DEPOSITS = (32, 45)

BANKS = {
    "110000000": "First Sandbox Bank",
    "123456780": "Harbor Test Credit Union",
    "220000000": "Prairie Example Savings",
}

_CARD_BEHAVIOURS = {card.number: card.behaviour for card in CARDS}
_BANK_BEHAVIOURS = {account.number: account.behaviour for account in BANK_ACCOUNTS}


def behaviour_of_card(number: str) -> str:
    """Return what a card number does; one that is no test number succeeds."""
    return _CARD_BEHAVIOURS.get(number, Behaviour.SUCCEEDS)


def behaviour_of_bank_account(number: str) -> str:
    """Return what an account number does; one that is no test number settles."""
    return _BANK_BEHAVIOURS.get(number, Behaviour.SUCCEEDS)
