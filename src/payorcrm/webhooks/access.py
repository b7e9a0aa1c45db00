"""The only function of the webhooks that turns something from an address into an object."""

from django.shortcuts import get_object_or_404

from payorcrm.merchants.models import GatewayAccount


def gateway_account(gateway: str, merchant_slug: str) -> GatewayAccount:
    """Return a merchant's account at a processor, or 404; the signature proves who is calling."""
    return get_object_or_404(GatewayAccount, gateway=gateway, merchant__slug=merchant_slug)
