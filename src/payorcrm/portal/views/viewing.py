"""The end of a look at the portal as a customer; it begins in the back office."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from payorcrm.core.clock import now
from payorcrm.core.models import User
from payorcrm.customers.view_as import VIEWING, end_viewing_of
from payorcrm.portal.access import viewed_customer


@require_POST
@login_required
def stop_viewing(request: HttpRequest) -> HttpResponse:
    """Lead a member of staff back to the customer's page in the back office."""
    assert isinstance(request.user, User)
    customer = viewed_customer(request)
    end_viewing_of(request.user, now())
    request.session.pop(VIEWING, None)
    if customer is None:
        return redirect("home_after_sign_in")
    return redirect("backoffice:customer", merchant_slug=customer.merchant.slug, customer_id=customer.id)
