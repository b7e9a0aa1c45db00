"""Reads what a payer typed into the card or bank fields. Pure; every complaint names its field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from stdnum import luhn
from stdnum.us import rtn

from payorcrm.gateways.sandbox.processor.test_numbers import (
    BANKS,
    Behaviour,
    behaviour_of_bank_account,
    behaviour_of_card,
)

SECRET_FIELDS = frozenset({"number", "cvc", "account_number", "account_number_again"})

_BRANDS = (
    ("visa", re.compile(r"4"), (13, 16, 19)),
    ("mastercard", re.compile(r"5[1-5]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),
    ("amex", re.compile(r"3[47]"), (15,)),
    ("discover", re.compile(r"6011|64[4-9]|65"), (16, 19)),
)


class EntryRefused(Exception):
    """Some fields cannot be accepted: `complaints` says for each why."""

    def __init__(self, complaints: dict[str, str]) -> None:
        super().__init__("; ".join(complaints.values()))
        self.complaints = complaints


@dataclass(frozen=True, slots=True)
class Entry:
    """A card or bank account as entered. `secret` is the full number, and is never stored."""

    kind: str
    secret: str
    last4: str
    behaviour: str
    holder_name: str
    brand: str = ""
    bank_name: str = ""
    expiry_month: int | None = None
    expiry_year: int | None = None
    account_type: str = ""
    holder_type: str = ""


def read_card(form: Mapping[str, str], *, today: date) -> Entry:
    """Read number, expiry, CVC and name. Raises EntryRefused."""
    number = _digits(form.get("number", ""))
    brand = brand_of(number)
    name = _name(form)
    complaints = {
        "number": _complaint_of_number(number, brand),
        "expiry": _complaint_of_expiry(form.get("expiry", ""), today),
        "cvc": _complaint_of_cvc(form.get("cvc", ""), brand),
        "name": "" if name else "Enter the name on the card.",
    }
    _refuse_if_any(complaints)
    month, year = parse_expiry(form["expiry"])
    return Entry("card", number, number[-4:], behaviour_of_card(number), name, brand, "", month, year)


def read_bank_account(form: Mapping[str, str]) -> Entry:
    """Read routing number, account number entered twice, name and the two choices. Raises EntryRefused."""
    routing, account = _digits(form.get("routing_number", "")), _digits(form.get("account_number", ""))
    again, name = _digits(form.get("account_number_again", "")), _name(form)
    account_type, holder_type = form.get("account_type", ""), form.get("holder_type", "")
    complaints = {
        "routing_number": complaint_of_routing(routing),
        "account_number": _complaint_of_account(account),
        "account_number_again": "" if again == account else "The two account numbers differ.",
        "name": "" if name else "Enter the name on the account.",
        "account_type": "" if account_type in ("checking", "savings") else "Choose checking or savings.",
        "holder_type": "" if holder_type in ("consumer", "business") else "Choose personal or business.",
    }
    _refuse_if_any(complaints)
    return Entry(
        "bank_account",
        f"{routing}/{account}",
        account[-4:],
        behaviour_of_bank_account(account),
        name,
        bank_name=BANKS.get(routing, ""),
        account_type=account_type,
        holder_type=holder_type,
    )


def brand_of(number: str) -> str:
    """Return a card's brand by its first digits; empty when unknown."""
    return next((brand for brand, pattern, _ in _BRANDS if pattern.match(number)), "")


def complaint_of_routing(routing: str) -> str:
    """Return what is wrong with a routing number; empty when its check digit fits."""
    if not routing:
        return "Enter the routing number."
    if len(routing) != 9:
        return "A routing number has nine digits."
    return "" if rtn.is_valid(routing) else "This is not a routing number. Please check for a typing error."


def parse_expiry(text: str) -> tuple[int, int]:
    """Read `MM/YY`, `MM/YYYY` or the same without the slash. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,2})[/\-. ]+(\d{2}|\d{4})|(\d{2})(\d{2})", text.strip(), re.ASCII)
    if not match:
        raise ValueError("not an expiry")
    month, year = int(match[1] or match[3]), int(match[2] or match[4])
    if not 1 <= month <= 12:
        raise ValueError("no such month")
    return month, year if year > 99 else 2000 + year


def _digits(text: str) -> str:
    bare = re.sub(r"[\s\-\u00a0\u202f]", "", text)
    # A letter in between stays, so that the number is refused rather than repaired by guessing.
    return bare if len(bare) <= 40 else bare[:40]


def _name(form: Mapping[str, str]) -> str:
    return " ".join(form.get("name", "").split())[:100]


def _refuse_if_any(complaints: dict[str, str]) -> None:
    found = {field: complaint for field, complaint in complaints.items() if complaint}
    if found:
        raise EntryRefused(found)


def _is_digits(text: str) -> bool:
    return re.fullmatch(r"[0-9]+", text) is not None


def _complaint_of_number(number: str, brand: str) -> str:
    if not number:
        return "Enter the card number."
    lengths = next((lengths for name, _, lengths in _BRANDS if name == brand), range(12, 20))
    if not _is_digits(number) or len(number) not in lengths or not luhn.is_valid(number):
        return "This is not a card number. Please check for a typing error."
    return ""


def _complaint_of_expiry(text: str, today: date) -> str:
    if not text.strip():
        return "Enter the expiry date."
    try:
        month, year = parse_expiry(text)
    except ValueError:
        return "Enter the month and year, like 04/29."
    if (year, month) < (today.year, today.month):
        return "This card has expired."
    return "" if year <= today.year + 30 else "This year is too far away."


def _complaint_of_cvc(text: str, brand: str) -> str:
    wanted = 4 if brand == "amex" else 3
    if not text.strip():
        return "Enter the security code."
    return "" if _is_digits(text.strip()) and len(text.strip()) == wanted else f"The security code has {wanted} digits."


def _complaint_of_account(account: str) -> str:
    if not account:
        return "Enter the account number."
    if not _is_digits(account) or not 4 <= len(account) <= 17:
        return "An account number has 4 to 17 digits."
    if behaviour_of_bank_account(account) == Behaviour.REFUSED_AT_ENTRY:
        return "The bank does not know this account number."
    return ""
