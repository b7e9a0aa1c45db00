"""The merchant's settings; owners change them, others of the staff may look."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import NotYourRole, for_staff
from payorcrm.backoffice.forms import SettingsForm
from payorcrm.merchants.models import Merchant, Staff


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def settings(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show and change what the merchant is."""
    if request.method == "POST" and not staff.can_change_settings():
        raise NotYourRole
    # A form writes into its instance while it validates; the page's head must go on showing what is saved.
    form = SettingsForm(
        request.POST or None, request.FILES or None, instance=Merchant.objects.get(id=staff.merchant_id)
    )
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The settings are saved.")
        return redirect("backoffice:settings", merchant_slug=staff.merchant.slug)
    team = Staff.objects.filter(merchant=staff.merchant).select_related("user").order_by("id")
    return render(request, "backoffice/settings_page.html", {"section": "settings", "form": form, "team": team})
