"""Which payment processors the merchant is connected to."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff
from payorcrm.backoffice.settings_sections import render_section
from payorcrm.merchants.models import GatewayAccount, Staff


@require_safe
@for_staff
def gateways(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show the connected processors."""
    accounts = list(GatewayAccount.objects.filter(merchant=staff.merchant).order_by("id"))
    return render_section(request, "settings_payments", "backoffice/settings_payments.html", {"accounts": accounts})
