"""Saving a card or bank account without paying with it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from payorcrm.customers.models import Customer
from payorcrm.gateways.base import MethodKind
from payorcrm.payment_methods import mails
from payorcrm.payment_methods.models import PaymentMethod, Verification
from payorcrm.payment_methods.save import Consent, TriesUsedUp, agree_to_keep, save_once, take_out, take_over_method


@dataclass(frozen=True, slots=True)
class Added:
    """The saved method, and whether this call saved it or it was saved before."""

    method: PaymentMethod
    is_new: bool


def add_method(*, customer: Customer, kind: MethodKind, method_token: str, consent: Consent, now: datetime) -> Added:
    """Save what the payer entered at the processor.

    Calls the processor. Raises TriesUsedUp, MethodNotAccepted, GatewayUnavailable, CannotTakePayments.
    """
    entered = take_over_method(customer=customer, kind=kind, method_token=method_token, consent=consent, now=now)
    return save_entered(entered, consent=consent, now=now)


def save_entered(entered: PaymentMethod, *, consent: Consent, now: datetime) -> Added:
    """Save a method that has not paid anything yet, and mail its owner: what was saved, or what the deposits are for.

    The same card or account is saved once; what was entered in vain is forgotten. Raises TriesUsedUp.
    """
    try:
        return _save(entered, consent, now)
    except TriesUsedUp:
        with transaction.atomic():
            take_out(entered, now=now)
        raise


def _save(entered: PaymentMethod, consent: Consent, now: datetime) -> Added:
    with transaction.atomic():
        agree_to_keep(entered, consent)
        saved = save_once(entered, now=now)
        if saved.id != entered.id:
            take_out(entered, now=now)
            return Added(saved, is_new=False)
        kind = "deposits_sent" if saved.verification == Verification.PENDING else "method_added"
        mails.queue_about([saved], kind=kind, now=now)
        return Added(saved, is_new=True)
