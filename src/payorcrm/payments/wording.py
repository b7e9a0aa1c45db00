"""What a payer is told about a payment, in plain words; the money comes first."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payorcrm.gateways.base import DeclineCode
from payorcrm.payments.models import Payment, PaymentState

_DECLINES = {
    DeclineCode.DECLINED: _("Your bank declined the card. It does not tell us why; your bank can."),
    DeclineCode.INSUFFICIENT_FUNDS: _("There is not enough money on this card or account for the amount."),
    DeclineCode.EXPIRED_CARD: _("This card has expired."),
    DeclineCode.WRONG_CVC: _("The security code of the card does not match."),
    DeclineCode.ACCOUNT_CLOSED: _("This bank account has been closed."),
    DeclineCode.NO_ACCOUNT: _("The bank found no account with this number."),
    DeclineCode.METHOD_UNUSABLE: _("This card or account can no longer be used here."),
    DeclineCode.ACTION_FAILED: _("The extra step that your bank asked for was not completed."),
    DeclineCode.LIMIT_EXCEEDED: _("The amount is over the limit of this card or account."),
}

# Nacha's return reason codes, in words for the payer (Operating Rules, Appendix Four).
_RETURNS = {
    "R01": _("there was not enough money in the account"),
    "R02": _("the account has been closed"),
    "R03": _("the bank found no account with this number and name"),
    "R04": _("the account number is not valid"),
    "R05": _("the owner of a consumer account did not authorize a business debit"),
    "R07": _("the authorization was revoked"),
    "R08": _("the payment was stopped at the bank"),
    "R09": _("the money in the account was not available yet"),
    "R10": _("the account's owner told the bank that the debit was not authorized"),
    "R16": _("the account is frozen"),
    "R20": _("the account does not allow this kind of payment"),
    "R29": _("the business told the bank that the debit was not authorized"),
}


def decline_in_words(payment: Payment) -> str:
    """Say why a payment was not made; empty for one that was."""
    if payment.state == PaymentState.FAILED:
        return gettext("The payment did not reach the bank.")
    return str(_DECLINES[DeclineCode(payment.decline_code)]) if payment.decline_code else ""


def return_in_words(payment: Payment) -> str:
    """Say why a debit came back; empty for one that did not."""
    if not payment.return_code:
        return ""
    return str(_RETURNS.get(payment.return_code, _("the bank did not accept it")))
