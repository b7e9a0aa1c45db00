"""What every payment gateway is: the values that cross its border, and the calls it answers.

An adapter translates between these values and one processor's protocol. It knows no invoice and no customer, keeps
no state of its own, and never decides what a payment means. Outcomes are values. Silence is `UNKNOWN`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused, Unavailable
from payorcrm.core.money import Money


class MethodKind(StrEnum):
    """What a payer pays with."""

    CARD = "card"
    BANK_ACCOUNT = "bank_account"


class Outcome(StrEnum):
    """What is known of a charge. Only an explicit answer of the processor becomes success or decline."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"  # accepted; the money moves later (ACH)
    ACTION_NEEDED = "action_needed"  # the payer must take a second step at `action_url`
    DECLINED = "declined"
    RETURNED = "returned"  # the bank sent the debit back; only `look_up` says so
    CANCELED = "canceled"  # voided before the bank got it; only `cancel` and `look_up` say so
    NOT_SENT = "not_sent"  # the processor certainly has no such charge
    UNKNOWN = "unknown"  # no answer, or none that can be understood; ask again with `look_up`


class Verification(StrEnum):
    """Whether a method must be shown to be the payer's before it can be charged."""

    NOT_NEEDED = "not_needed"
    DEPOSITS = "deposits"  # two amounts of less than a dollar are on their way; `verify_method` takes them


class VerificationOutcome(StrEnum):
    """What is known after the amounts of two deposits were sent in. Only an explicit answer costs a try."""

    VERIFIED = "verified"
    WRONG = "wrong"
    FAILED = "failed"  # for good; the method can never be charged
    UNKNOWN = "unknown"  # no answer, or none that can be understood; the same amounts may be sent again


class DeclineCode(StrEnum):
    """Why a charge was declined, in our words; the payer's message is chosen by it."""

    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    WRONG_CVC = "wrong_cvc"
    ACCOUNT_CLOSED = "account_closed"
    NO_ACCOUNT = "no_account"
    METHOD_UNUSABLE = "method_unusable"
    ACTION_FAILED = "action_failed"
    LIMIT_EXCEEDED = "limit_exceeded"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One merchant's keys at one processor.

    Args:
        public_key: Names the merchant in the payer's browser; not secret.
        secret_key: Authorizes calls.
        webhook_secret: Signs what the processor sends to us.
    """

    public_key: str
    secret_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """One attempt to take money.

    Args:
        idempotency_key: The same key never charges twice, however often it is sent.
        amount: More than zero.
        kind: Card or bank account.
        method_token: The processor's name for the method.
        description: What the payer may read on a statement; 80 characters at the most.
        return_url: Where the payer comes back to after a second step.
        entry_class: Nacha's SEC code of a debit, `WEB` or `CCD`; empty for cards.
    """

    idempotency_key: str
    amount: Money
    kind: MethodKind
    method_token: str
    description: str
    return_url: str
    entry_class: str = ""


@dataclass(frozen=True, slots=True)
class ChargeResult:
    """What a processor says of a charge.

    Args:
        outcome: What is known.
        reference: The processor's id of the charge; empty when it gave none.
        decline_code: Set when DECLINED.
        decline_message: The processor's own words, for staff.
        action_url: Set when ACTION_NEEDED.
        expected_on: Set when PENDING: the day the processor expects the money to clear, if it says so.
        return_code: Set when RETURNED: Nacha's code (R01…).
        occurred_at: When the processor says the outcome came about; None when it does not say.
    """

    outcome: Outcome
    reference: str = ""
    decline_code: DeclineCode | None = None
    decline_message: str = ""
    action_url: str = ""
    expected_on: date | None = None
    return_code: str = ""
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to give back from one charge.

    Args:
        idempotency_key: The same key never refunds twice.
        charge_reference: The processor's id of the charge.
        amount: More than zero, at most what was charged and not yet refunded.
    """

    idempotency_key: str
    charge_reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class RefundResult:
    """What a processor says of a refund: SUCCEEDED, PENDING, DECLINED, NOT_SENT or UNKNOWN.

    A refund that was PENDING may end as DECLINED: the payer's bank did not take the money.

    Args:
        outcome: What is known.
        reference: The processor's id of the refund.
        message: The processor's own words, for staff.
    """

    outcome: Outcome
    reference: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class SavingSession:
    """How a payer's browser hands a method to the processor.

    Args:
        kind: Card or bank account.
        fields_url: The processor's own fields, for an iframe. Their page posts a message to its parent:
            `{source: "payorcrm-fields", type: "resize" | "token" | "error", height, token, summary, message}`.
            The parent asks it to submit with `{source: "payorcrm", type: "submit"}`.
        hosted_url: The same fields as a page of their own, for browsers without JavaScript; it leads back to the
            return address with `?method_token=…` added.
        origin: The origin that messages come from and that the Content-Security-Policy must allow in frames.
    """

    kind: MethodKind
    fields_url: str
    hosted_url: str
    origin: str


@dataclass(frozen=True, slots=True)
class MethodDetails:
    """A method at the processor, as much of it as may be shown.

    Args:
        token: The processor's name for the method.
        kind: Card or bank account.
        brand: A card's brand in lower case (`visa`); empty for bank accounts.
        bank_name: The bank's name if known; empty for cards.
        last4: The last four digits.
        expiry_month: 1 to 12 for cards, else None.
        expiry_year: Four digits for cards, else None.
        holder_name: The name on the card or account.
        account_type: `checking` or `savings`; empty for cards.
        holder_type: `consumer` or `business`; empty for cards.
        fingerprint: Equal for the same card or account entered twice; empty if the processor has none.
        verification: Whether the method can be charged at once.
        deposits_expected_on: Set when DEPOSITS: the day on which both are on the account, if the processor says so.
    """

    token: str
    kind: MethodKind
    last4: str
    brand: str = ""
    bank_name: str = ""
    expiry_month: int | None = None
    expiry_year: int | None = None
    holder_name: str = ""
    account_type: str = ""
    holder_type: str = ""
    fingerprint: str = ""
    verification: Verification = Verification.NOT_NEEDED
    deposits_expected_on: date | None = None


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """What a processor says of the amounts of two deposits.

    Args:
        outcome: What is known.
        tries_left: Set when WRONG: how often the processor will still look at other amounts, at least once.
    """

    outcome: VerificationOutcome
    tries_left: int = 0


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """Something that happened at the processor, from a webhook or from polling.

    Args:
        event_id: The processor's id; the same event may arrive often and in any order.
        kind: The processor's word for it.
        charge_reference: The processor's id of the charge it is about; empty if it is about none.
        occurred_at: When it happened.
        body: The raw JSON text.
    """

    event_id: str
    kind: str
    charge_reference: str
    occurred_at: datetime
    body: str


class GatewayUnavailable(Unavailable):
    """A call that asks something, and moves no money, got no answer."""

    code = "gateway_unavailable"
    message = _("The payment processor does not answer. Please try again in a moment.")


class MethodNotAccepted(Refused):
    """The processor does not know the method's token, or refuses it."""

    code = "method_not_accepted"
    message = _("This card or account could not be used. Please enter it again.")


class KeysNotAccepted(Refused):
    """The processor does not know the keys that a merchant entered, or they belong to different accounts."""

    code = "keys_not_accepted"
    status: ClassVar[int] = 422
    message = "The processor does not accept these keys. Nothing was stored."


class WebhookNotGenuine(Refused):
    """A webhook's signature is missing, wrong or too old."""

    code = "webhook_not_genuine"
    message = _("The signature does not match.")
    status: ClassVar[int] = 400


class Gateway(Protocol):
    """One merchant's line to one processor. Instances are cheap; connections are pooled by the adapter's module.

    Every method but `start_saving_method` and `read_webhook` uses the network and therefore fails inside a database
    transaction (see `registry`).
    """

    name: ClassVar[str]
    label: ClassVar[str]
    is_rehearsal: ClassVar[bool]  # moves no real money
    opens_test_accounts: ClassVar[bool]
    kinds: ClassVar[frozenset[MethodKind]]
    supports_refund: ClassVar[bool]
    supports_cancel: ClassVar[bool]
    settles_later: ClassVar[frozenset[MethodKind]]
    sends_deposits: ClassVar[bool]

    def __init__(self, credentials: Credentials) -> None: ...

    @classmethod
    def open_test_account(cls, name: str, *, webhook_url: str) -> Credentials:
        """Open an account of the processor's own test mode, or find the one of this name. Raises GatewayUnavailable.

        Never called where `opens_test_accounts` is False.
        """
        ...

    def check_keys(self) -> str:
        """Ask the processor whether it takes these keys, and return its own id of the account that they open.

        Keys may change and the id does not. Raises KeysNotAccepted, GatewayUnavailable.
        """
        ...

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """Take money once for the request's key. Never raises for what the processor or the network does."""
        ...

    def refund(self, request: RefundRequest) -> RefundResult:
        """Give money back once for the request's key. Never raises for what the processor or the network does."""
        ...

    def look_up_refund(self, idempotency_key: str) -> RefundResult:
        """Ask what became of the refund sent with a key: NOT_SENT when there is none, UNKNOWN when nobody answers."""
        ...

    def cancel(self, idempotency_key: str) -> ChargeResult:
        """Void the charge sent with a key, if the bank does not have it yet; return what the charge is afterwards.

        CANCELED however often it is asked; PENDING when it was too late. Called only where `supports_cancel` is True.
        Never raises for what the processor or the network does.
        """
        ...

    def look_up(self, idempotency_key: str) -> ChargeResult:
        """Ask what became of the charge sent with a key: NOT_SENT when there is none, UNKNOWN when nobody answers."""
        ...

    def start_saving_method(
        self, kind: MethodKind, *, return_url: str, parent_origin: str, language: str = ""
    ) -> SavingSession:
        """Name the addresses of the processor's own fields, in a language such as `es` if it is spoken there.

        Makes no call.
        """
        ...

    def finish_saving_method(self, token: str, *, reusable: bool) -> MethodDetails:
        """Exchange the token that the payer's browser brought. Raises MethodNotAccepted, GatewayUnavailable."""
        ...

    def verify_method(self, token: str, amounts: tuple[int, int]) -> VerificationResult:
        """Send in the amounts of the two deposits, in cents and either order. Never raises for what others do.

        A method that is verified already is VERIFIED whatever the amounts, so that a lost answer can be asked for
        again. Called only for methods that were DEPOSITS, hence never where `sends_deposits` is False.
        """
        ...

    def remove_method(self, token: str) -> None:
        """Make the processor forget a method. Raises GatewayUnavailable."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Verify and parse what the processor sent. Raises WebhookNotGenuine."""
        ...

    def fetch_events(self, since: datetime) -> list[GatewayEvent]:
        """Return the events since a moment, oldest first, 500 at the most. Raises GatewayUnavailable."""
        ...
