"""Taking over a method that the payer entered at the processor, and keeping it when they agreed to that."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.ids import uuid7
from payorcrm.core.jobs import enqueue_named
from payorcrm.customers.models import Customer
from payorcrm.gateways import base as gateways
from payorcrm.gateways.base import MethodDetails, MethodKind
from payorcrm.merchants.models import GatewayAccount
from payorcrm.merchants.queries import account_for_new, gateway_of
from payorcrm.payment_methods.models import MOST_TRIES, PaymentMethod, Verification

USE_NOTED_EVERY = timedelta(minutes=1)
TRIES_COUNT_FOR = timedelta(days=30)


class MethodGone(Refused):
    """A saved method was removed meanwhile."""

    code = "method_gone"
    message = _("This card or account was removed meanwhile.")


class TriesUsedUp(Refused):
    """The amounts of an account's deposits were wrong too often; entering it again must not make new tries."""

    code = "tries_used_up"
    status: ClassVar[int] = 409
    message = _(
        "Nothing was debited. This account was not saved: the amounts of its deposits were wrong three times within "
        "the last 30 days. Please use another account or a card, or try again in 30 days."
    )


@dataclass(frozen=True, slots=True)
class Consent:
    """The payer's agreement to keep a method: the text they saw, when they agreed and where they were."""

    text: str
    address: str | None
    at: datetime


def consent_text(kind: str, merchant_name: str) -> str:
    """Return what a payer agrees to when a method is kept."""
    if kind == MethodKind.CARD:
        text = gettext(
            "Keep this card with %(merchant)s's payment processor, so that I can pay later invoices with it. "
            "It is only charged when I confirm a payment. %(merchant)s removes it whenever I ask."
        )
    else:
        text = gettext(
            "Keep this bank account with %(merchant)s's payment processor, so that I can pay later invoices with it. "
            "It is only charged when I confirm a payment. %(merchant)s removes it whenever I ask."
        )
    return text % {"merchant": merchant_name}


def take_over_method(
    *, customer: Customer, kind: MethodKind, method_token: str, consent: Consent | None, now: datetime
) -> PaymentMethod:
    """Exchange the token that the payer's browser brought for a method of the customer.

    With consent it becomes a saved one once a payment with it goes through (`keep_if_agreed`).
    Calls the processor. Raises MethodNotAccepted, GatewayUnavailable, CannotTakePayments.
    """
    account = account_for_new(customer.merchant_id, kind)
    details = gateway_of(account).finish_saving_method(method_token, reusable=consent is not None)
    return PaymentMethod.objects.create(
        customer=customer,
        merchant_id=customer.merchant_id,
        gateway=account.gateway,
        account_id=account.account_id,
        created_at=now,
        consent_text=consent.text if consent else "",
        consent_address=consent.address if consent else None,
        consented_at=consent.at if consent else None,
        **_shown_fields(details),
    )


def agree_to_keep(method: PaymentMethod, consent: Consent | None) -> None:
    """Note what the payer agreed to, or that they did not, on a method that has not been saved yet."""
    if method.saved_at:
        return
    method.consent_text = consent.text if consent else ""
    method.consent_address = consent.address if consent else None
    method.consented_at = consent.at if consent else None
    method.save(update_fields=["consent_text", "consent_address", "consented_at"])


def keep_if_agreed(method: PaymentMethod, *, now: datetime) -> None:
    """Note that a method has just worked, and save it if its owner agreed; the same card or account is saved once."""
    if not method.saved_at and method.consent_text and not method.removed_at:
        method = save_once(method, now=now)
    if method.last_used_at is None or now - method.last_used_at > USE_NOTED_EVERY:
        _note_use(method, now)


def _note_use(method: PaymentMethod, now: datetime) -> None:
    # Payments with one card at the same time must not wait for each other: one of them notes it, the others go on.
    free = PaymentMethod.objects.select_for_update(skip_locked=True, no_key=True).filter(id=method.id)
    PaymentMethod.objects.filter(id__in=free.values("id")).update(last_used_at=now)


def save_once(method: PaymentMethod, *, now: datetime) -> PaymentMethod:
    """Save a method in the caller's transaction, or return the saved one that is the same card or account.

    A card that comes again may bring a later expiry date, so the saved one takes over its dates and its token. An
    account whose verification failed makes way. Raises TriesUsedUp.
    """
    # Whoever saves, at the same moment, the same card in another tab waits here and then finds it saved.
    Customer.objects.select_for_update(no_key=True).get(id=method.customer_id)
    twin = _twin_of(method)
    if twin and not twin.may_be_of(method.account_id):  # its token is of no use any more
        take_out(twin, now=now)
        twin = None
    if twin and twin.verification != Verification.FAILED:
        if method.is_card():
            _renew(twin, method)
        return twin
    if method.verification == Verification.PENDING:
        _refuse_new_tries(method, now)
    if twin:
        take_out(twin, now=now)
    method.saved_at = now
    method.save(update_fields=["saved_at"])
    return method


def lock_saved(method_id: UUID) -> PaymentMethod:
    """Lock a saved method in the caller's transaction. Raises MethodGone."""
    method = PaymentMethod.objects.saved().select_for_update().filter(id=method_id).first()
    if method is None:
        raise MethodGone
    return method


def take_out(method: PaymentMethod, *, now: datetime) -> None:
    """End a method's use for ever, in the caller's transaction; its authorizations end with it."""
    method.removed_at, method.is_default = now, False
    method.save(update_fields=["removed_at", "is_default"])
    method.mandates.filter(revoked_at=None).update(revoked_at=now)
    enqueue_named("payorcrm.payment_methods.jobs.forget_at_processor", method_id=str(method.id))


def _twin_of(method: PaymentMethod) -> PaymentMethod | None:
    if not method.fingerprint:
        return None
    same = PaymentMethod.objects.saved().filter(gateway=method.gateway, fingerprint=method.fingerprint)
    return same.filter(customer_id=method.customer_id).exclude(id=method.id).first()


def _refuse_new_tries(method: PaymentMethod, now: datetime) -> None:
    """Count the tries with the same account, removed or not, so that neither removing nor entering it renews them."""
    same = PaymentMethod.objects.filter(customer=method.customer_id, gateway=method.gateway)
    lately = same.filter(fingerprint=method.fingerprint, saved_at__gt=now - TRIES_COUNT_FOR).exclude(fingerprint="")
    tries = lately.aggregate(tries=Sum("verification_try_count"))["tries"] or 0
    if tries >= MOST_TRIES:
        raise TriesUsedUp


def _renew(saved: PaymentMethod, entered: PaymentMethod) -> None:
    saved.token, entered.token = entered.token, saved.token
    if (saved.expiry_year, saved.expiry_month) != (entered.expiry_year, entered.expiry_month):
        saved.expiry_mailed_at = None
    saved.expiry_year, saved.expiry_month = entered.expiry_year, entered.expiry_month
    saved.holder_name, saved.account_id = entered.holder_name, entered.account_id or saved.account_id
    saved.save(update_fields=["token", "account_id", "expiry_year", "expiry_month", "holder_name", "expiry_mailed_at"])
    entered.save(update_fields=["token"])


def record_saved_method(
    *, customer: Customer, account: GatewayAccount, details: MethodDetails, consent: Consent
) -> PaymentMethod:
    """Write down a method that the processor already keeps for the customer."""
    return PaymentMethod.objects.create(
        id=uuid7(),
        customer=customer,
        merchant_id=customer.merchant_id,
        gateway=account.gateway,
        account_id=account.account_id,
        created_at=consent.at,
        saved_at=consent.at,
        consent_text=consent.text,
        consent_address=consent.address,
        consented_at=consent.at,
        **_shown_fields(details),
    )


_VERIFICATIONS = {
    gateways.Verification.NOT_NEEDED: Verification.NOT_NEEDED,
    gateways.Verification.DEPOSITS: Verification.PENDING,
}


def _shown_fields(details: MethodDetails) -> dict[str, object]:
    return {
        "token": details.token,
        "kind": details.kind.value,
        "brand": details.brand,
        "bank_name": details.bank_name,
        "last4": details.last4,
        "expiry_month": details.expiry_month,
        "expiry_year": details.expiry_year,
        "holder_name": details.holder_name,
        "account_type": details.account_type,
        "holder_type": details.holder_type,
        "fingerprint": details.fingerprint,
        "verification": _VERIFICATIONS[details.verification].value,
        "deposits_expected_on": details.deposits_expected_on,
    }
