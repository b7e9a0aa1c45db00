"""Reads about merchants that several callers share."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.gateways.base import Gateway
from payorcrm.gateways.registry import gateway
from payorcrm.merchants.models import GatewayAccount, Merchant, Role, Staff


class CannotTakePayments(Refused):
    """A merchant has not connected a payment processor."""

    code = "cannot_take_payments"
    message = _("Online payment is not set up yet. Please contact the company that sent you the invoice.")


def gateway_account_of(merchant_id: UUID, name: str = "") -> GatewayAccount:
    """Return the account of a named gateway, or the merchant's first one. Raises CannotTakePayments."""
    for account in GatewayAccount.objects.raw(
        "SELECT * FROM merchants_gatewayaccount WHERE merchant_id = %s AND %s IN ('', gateway) ORDER BY id LIMIT 1",
        [merchant_id, name],
    ):
        return account
    raise CannotTakePayments


def gateway_of(account: GatewayAccount) -> Gateway:
    """Return the line to the processor that an account's keys open."""
    return gateway(account.gateway, account.credentials())


def people_to_tell(merchant: Merchant) -> list[str]:
    """Return the addresses of the staff who act when something goes wrong: owners and collectors."""
    told = Staff.objects.filter(merchant=merchant, role__in=[Role.OWNER, Role.COLLECTOR], user__is_active=True)
    return list(told.order_by("id").values_list("user__email", flat=True))
