"""Taking over a method that the payer entered at the processor, and keeping it when they agreed to that."""

from dataclasses import dataclass
from datetime import datetime

from payorcrm.core.ids import uuid7
from payorcrm.customers.models import Customer
from payorcrm.gateways import base as gateways
from payorcrm.gateways.base import MethodDetails, MethodKind
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payment_methods.models import PaymentMethod, Verification


@dataclass(frozen=True, slots=True)
class Consent:
    """The payer's agreement to keep a method: the text they saw, when they agreed and where they were."""

    text: str
    address: str | None
    at: datetime


def consent_text(kind: str, merchant_name: str) -> str:
    """Return what a payer agrees to when a method is kept."""
    noun = "card" if kind == MethodKind.CARD else "bank account"
    return (
        f"Keep this {noun} with {merchant_name}'s payment processor, so that I can pay later invoices with it. "
        f"It is only charged when I confirm a payment. {merchant_name} removes it whenever I ask."
    )


def take_over_method(*, customer: Customer, method_token: str, consent: Consent | None, now: datetime) -> PaymentMethod:
    """Exchange the token that the payer's browser brought for a method of the customer.

    With consent it becomes a saved one once a payment with it goes through (`keep_if_agreed`).
    Calls the processor. Raises MethodNotAccepted, GatewayUnavailable, CannotTakePayments.
    """
    account = gateway_account_of(customer.merchant_id)
    details = gateway_of(account).finish_saving_method(method_token, reusable=consent is not None)
    return PaymentMethod.objects.create(
        customer=customer,
        merchant_id=customer.merchant_id,
        gateway=account.gateway,
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
    """Save a method that has just worked, if its owner agreed; the same card or account is saved once."""
    if not method.consent_text or method.saved_at or method.removed_at:
        return
    twins = PaymentMethod.objects.saved().filter(
        customer_id=method.customer_id, gateway=method.gateway, fingerprint=method.fingerprint
    )
    if method.fingerprint and twins.exists():
        return
    method.saved_at = now
    method.save(update_fields=["saved_at"])


def record_saved_method(*, customer: Customer, gateway: str, details: MethodDetails, consent: Consent) -> PaymentMethod:
    """Write down a method that the processor already keeps for the customer."""
    return PaymentMethod.objects.create(
        id=uuid7(),
        customer=customer,
        merchant_id=customer.merchant_id,
        gateway=gateway,
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
