"""The people of the demo business, and where they sign in."""

from dataclasses import dataclass

from payorcrm.demo.business import PASSWORD, PLAYED, SLUG, STAFF

SIGN_IN_PATH = "/account/login/"
PORTAL_PATH = f"/c/{SLUG}/"


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person who may sign in, as the demo prints them."""

    who: str
    email: str
    password: str = PASSWORD
    path: str = SIGN_IN_PATH


def sign_ins() -> list[SignIn]:
    """Return everybody who may sign in."""
    colleagues = [SignIn(f"Staff, {person.role.label.lower()}", person.email) for person in STAFF]
    return [SignIn("Customer", PLAYED.email, path=PORTAL_PATH), *colleagues]
