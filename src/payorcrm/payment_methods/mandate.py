"""The payer's authorization to debit a bank account: its wording, and its record.

Nacha asks of an authorization for a WEB debit that it be clear, readable and similarly authenticated, name amount,
date and account, and say how to revoke it (Operating Rules, subsections 2.3.2 and 2.5.17).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date

from payorcrm.core.ids import readable_reference
from payorcrm.core.money import Money
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.models import Mandate, PaymentMethod

WORDING_VERSION = "2026-11"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who pressed the button that says "authorize": when, from where, with what."""

    at: datetime
    address: str | None
    user_agent: str


def authorization_text(
    *, merchant: Merchant, method: PaymentMethod, amount: Money, invoice_numbers: Sequence[str], today: date
) -> str:
    """Return the authorization for one debit, in three short paragraphs."""
    account = f"{method.account_type or 'bank'} account ending in {method.last4}"
    bank = f" at {method.bank_name}" if method.bank_name else ""
    contact = " or ".join(part for part in (merchant.reply_to, merchant.phone) if part) or "the address on my invoice"
    invoices = ", ".join(invoice_numbers[:5]) + (
        f" and {len(invoice_numbers) - 5} more" if len(invoice_numbers) > 5 else ""
    )
    return (
        f"I authorize {merchant.name} to debit {amount} once, electronically through the ACH network, from my "
        f"{account}{bank}, on or after {format_date(today, 'long', locale='en_US')}, to pay "
        f"{'invoice' if len(invoice_numbers) == 1 else 'invoices'} {invoices}.\n\n"
        f"If my bank sends the debit back for insufficient or uncollected funds, it may be presented again up to two "
        f"times within 180 days.\n\n"
        f"I can revoke this authorization before the debit is submitted to the bank by writing to {contact}. "
        f"I confirm that I may authorize debits from this account."
    )


def record_mandate(*, method: PaymentMethod, text: str, amount: Money, acceptance: Acceptance) -> Mandate:
    """Keep an authorization word for word, with the proof of who gave it."""
    return Mandate.objects.create(
        merchant_id=method.merchant_id,
        customer_id=method.customer_id,
        method=method,
        reference=readable_reference("MAN"),
        text=text,
        version=WORDING_VERSION,
        amount=amount.minor,
        currency=amount.currency,
        accepted_at=acceptance.at,
        address=acceptance.address,
        user_agent=acceptance.user_agent[:300],
    )


def entry_class_of(method: PaymentMethod) -> str:
    """Return the SEC code of a debit authorized online: CCD for a business's account, else WEB; empty for cards."""
    if method.is_card():
        return ""
    return "CCD" if method.holder_type == "business" else "WEB"
