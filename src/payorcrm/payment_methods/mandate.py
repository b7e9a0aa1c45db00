"""The payer's authorization to debit a bank account: its wording, and its record.

Nacha asks of an authorization for a WEB debit that it be clear, readable and similarly authenticated, name amount,
date and account, and say how to revoke it (Operating Rules, subsections 2.3.2 and 2.5.17).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payorcrm.core.ids import readable_reference
from payorcrm.core.money import Money
from payorcrm.core.write_dates import write_long_day
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
    """Return the authorization for one debit, in three short paragraphs, in the reader's language."""
    shown = {
        "merchant": merchant.name,
        "amount": amount,
        "account": _account_in_words(method),
        "day": write_long_day(today),
        "invoices": _numbers_in_words(invoice_numbers),
    }
    debit = ngettext(
        "I authorize %(merchant)s to debit %(amount)s once, electronically through the ACH network, from my "
        "%(account)s, on or after %(day)s, to pay invoice %(invoices)s.",
        "I authorize %(merchant)s to debit %(amount)s once, electronically through the ACH network, from my "
        "%(account)s, on or after %(day)s, to pay invoices %(invoices)s.",
        len(invoice_numbers),
    )
    again = _(
        "If my bank sends the debit back for insufficient or uncollected funds, it may be presented again up to two "
        "times within 180 days."
    )
    revocation = _(
        "I can revoke this authorization before the debit is submitted to the bank by writing to %(contact)s. "
        "I confirm that I may authorize debits from this account."
    )
    return "\n\n".join([debit % shown, again, revocation % {"contact": _contact_of(merchant)}])


def _account_in_words(method: PaymentMethod) -> str:
    account = str(_ACCOUNTS.get(method.account_type, _ACCOUNTS[""])) % {"last4": method.last4}
    if not method.bank_name:
        return account
    return _("%(account)s at %(bank)s") % {"account": account, "bank": method.bank_name}


_ACCOUNTS = {
    "checking": gettext_lazy("checking account ending in %(last4)s"),
    "savings": gettext_lazy("savings account ending in %(last4)s"),
    "": gettext_lazy("bank account ending in %(last4)s"),
}
_MOST_NUMBERS = 5


def _numbers_in_words(numbers: Sequence[str]) -> str:
    first, more = ", ".join(numbers[:_MOST_NUMBERS]), len(numbers) - _MOST_NUMBERS
    if more <= 0:
        return first
    return ngettext("%(numbers)s and %(count)d more", "%(numbers)s and %(count)d more", more) % {
        "numbers": first,
        "count": more,
    }


def _contact_of(merchant: Merchant) -> str:
    if merchant.reply_to and merchant.phone:
        return _("%(address)s or %(phone)s") % {"address": merchant.reply_to, "phone": merchant.phone}
    return merchant.reply_to or merchant.phone or _("the address on my invoice")


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
