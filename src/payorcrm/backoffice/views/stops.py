"""Addresses that no run of mails goes to any more: which of a customer's are, and allowing mails again."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from payorcrm.backoffice.access import customer_of, for_collectors, suppression_of
from payorcrm.core import clock
from payorcrm.customers.models import Contact, Customer, Notification
from payorcrm.mail.models import Suppression
from payorcrm.mail.suppress import lift, suppressions_of
from payorcrm.merchants.models import Staff


def stops_of(customer: Customer) -> list[Suppression]:
    """Return the stops of the addresses that a customer's mails go to."""
    addresses = list(Contact.objects.filter(customer=customer).values_list("email", flat=True))
    for to, cc in Notification.objects.filter(customer=customer).values_list("to", "cc"):
        addresses += [*to, *cc]
    return suppressions_of(customer.merchant_id, addresses)


@require_POST
@for_collectors
def lift_stop(request: HttpRequest, staff: Staff, suppression_id: UUID) -> HttpResponse:
    """Let mails go to an address again."""
    stop = suppression_of(staff, suppression_id)
    try:
        customer = customer_of(staff, UUID(request.POST["customer"])) if request.POST.get("customer") else None
    except ValueError:
        raise Http404 from None
    lift(stop, lifted_by=staff.user, now=clock.now())
    messages.success(request, f"Mails go to {stop.address} again, from the next one on.")
    if customer:
        return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)
    return redirect("backoffice:mails", merchant_slug=staff.merchant.slug)
