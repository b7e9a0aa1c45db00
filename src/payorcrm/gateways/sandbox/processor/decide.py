"""What becomes of a charge at the moment it is made. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from payorcrm.gateways.sandbox.processor.test_numbers import Behaviour

ANSWER_WITHIN = timedelta(minutes=15)

DECLINE_MESSAGES = {
    "card_declined": "The card issuer declined the charge.",
    "insufficient_funds": "The account does not hold enough money.",
    "card_expired": "The card has expired.",
    "cvc_mismatch": "The security code does not match the card.",
    "limit_exceeded": "The charge is over the card's limit.",
    "account_closed": "The bank account is closed.",
    "account_not_found": "The bank does not know this account.",
    "method_not_usable": "This method is not known, was removed, or was for one charge only.",
    "currency_not_supported": "Bank accounts can be debited in USD only.",
    "account_not_verified": "The owner of this account has not confirmed the two test deposits.",
    "authentication_failed": "The payer did not complete the second step.",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A new charge's status and what is to happen to it next."""

    status: str
    decline_code: str = ""
    planned_return: str = ""
    returns_late: bool = False
    next_step_at: datetime | None = None
    expected_on: date | None = None


def decline(code: str) -> Decision:
    """Return a decline, which is final."""
    return Decision("declined", decline_code=code)


def decide(*, behaviour: str, kind: str, currency: str, now: datetime, settles_after: timedelta) -> Decision:
    """Return what a usable method does when it is charged at `now`."""
    word, _, code = behaviour.partition(":")
    if word == Behaviour.DECLINES:
        return decline(code)
    if kind == "bank_account":
        return _debit(word, code, currency, now, settles_after)
    if word == Behaviour.ASKS:
        return Decision("requires_action", next_step_at=now + ANSWER_WITHIN)
    return Decision("succeeded")


def _debit(word: str, code: str, currency: str, now: datetime, settles_after: timedelta) -> Decision:
    if currency != "USD":
        return decline("currency_not_supported")
    return Decision(
        "pending",
        planned_return=code if word in (Behaviour.RETURNS, Behaviour.RETURNS_LATE) else "",
        returns_late=word == Behaviour.RETURNS_LATE,
        next_step_at=None if word == Behaviour.STAYS_PENDING else now + settles_after,
        expected_on=clears_on((now + settles_after).date()),
    )


def clears_on(day: date) -> date:
    """Return the second weekday after a day: a debit sent today is settled by then."""
    for _ in range(2):
        day += timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
    return day
