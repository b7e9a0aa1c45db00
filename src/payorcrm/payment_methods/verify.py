"""Showing that a bank account is the customer's: two small deposits, whose amounts only its owner can read."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.gateways.base import VerificationOutcome, VerificationResult
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payment_methods import mails
from payorcrm.payment_methods.models import MOST_TRIES, PaymentMethod, Verification
from payorcrm.payment_methods.save import lock_saved

_SETTLED = {Verification.VERIFIED: VerificationOutcome.VERIFIED, Verification.FAILED: VerificationOutcome.FAILED}


class NothingToVerify(Refused):
    """Amounts of deposits came for a card, or for an account that never needed any."""

    code = "nothing_to_verify"
    message = _("This card or account needs no verification.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of two amounts, and how many tries are left while they were only wrong."""

    outcome: VerificationOutcome
    tries_left: int


def verify_deposits(*, method: PaymentMethod, amounts: tuple[int, int], now: datetime) -> Verdict:
    """Send in the amounts of both deposits, in cents and either order; the third wrong try ends it for good.

    Silence of the processor costs no try. What is verified or has failed stays so. Raises MethodGone, NothingToVerify.
    """
    with transaction.atomic(durable=True):
        current = lock_saved(method.id)
    if current.verification == Verification.NOT_NEEDED:
        raise NothingToVerify
    if current.verification != Verification.PENDING:
        return _verdict_on(current)
    account = gateway_account_of(current.merchant_id, current.gateway)
    result = gateway_of(account).verify_method(current.token, amounts)
    return settle_verification(current, result, now=now)


def settle_verification(method: PaymentMethod, result: VerificationResult, *, now: datetime) -> Verdict:
    """Record what the processor said of two amounts, and mail what is final. Raises MethodGone."""
    with transaction.atomic():
        current = lock_saved(method.id)
        # Another tab may have settled it while the processor looked at this one's amounts.
        if current.verification != Verification.PENDING or result.outcome is VerificationOutcome.UNKNOWN:
            return _verdict_on(current)
        if result.outcome is VerificationOutcome.VERIFIED:
            current.verification = Verification.VERIFIED
        else:
            _count_try(current, result)
        current.save(update_fields=["verification", "verification_try_count"])
        _tell(current, now)
        return _verdict_on(current, result.outcome)


def _count_try(method: PaymentMethod, result: VerificationResult) -> None:
    # The processor counts, also tries whose answers were lost or overtook one another; one that allows more tries
    # than are promised here is counted for.
    counted = MOST_TRIES - result.tries_left
    ours = method.verification_try_count
    method.verification_try_count = max(ours, counted) if counted > 0 else ours + 1
    if method.tries_left() == 0:
        method.verification = Verification.FAILED


def _tell(method: PaymentMethod, now: datetime) -> None:
    if method.verification == Verification.VERIFIED:
        mails.queue_about([method], kind="method_verified", now=now)
    elif method.verification == Verification.FAILED:
        mails.queue_about([method], kind="method_not_verified", now=now)


def _verdict_on(method: PaymentMethod, outcome: VerificationOutcome = VerificationOutcome.UNKNOWN) -> Verdict:
    settled = _SETTLED.get(Verification(method.verification), outcome)
    return Verdict(settled, MOST_TRIES - method.verification_try_count)
