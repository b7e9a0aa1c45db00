"""The statement of one customer: the PDF, the mail as it would look now, and sending it by hand."""

from uuid import UUID

from csp.decorators import csp_update
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from payorcrm.backoffice.access import NotYourRole, customer_of, for_staff, statement_rule_of
from payorcrm.backoffice.framed_mail import framed_mail
from payorcrm.core.clock import day_in, now
from payorcrm.invoices.draw_statement import statement_pdf
from payorcrm.merchants.models import Staff
from payorcrm.reminders.models import ReminderTemplate
from payorcrm.statements.mails import preview_statement
from payorcrm.statements.send import NoStatementSent, send_statement
from payorcrm.statements.templates import statement_template
from payorcrm.ui.documents import pdf_response


@require_http_methods(["GET", "HEAD", "POST"])
@csp_update({"frame-src": ["'self'"]})
@for_staff
def statement(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Show the mail that a customer would get now; a collector's POST sends it. Raises NoStatementSent."""
    customer = customer_of(staff, customer_id)
    if request.method == "POST":
        if not staff.can_change():
            raise NotYourRole
        return _sent(request, staff, customer_id)
    context = {"section": "customers", "customer": customer, "rule_id": request.GET.get("rule", "")}
    return render(request, "backoffice/customer_statement.html", context)


def _sent(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    customer = customer_of(staff, customer_id)
    customer.merchant = staff.merchant
    template = _template(staff, request.POST.get("rule", ""))
    try:
        send_statement(customer=customer, started_by=staff.user, now=now(), template=template)
    except NoStatementSent as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "The statement is on its way. The list of mails shows what becomes of it.")
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)


@require_safe
@framed_mail
@for_staff
def statement_mail(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Show the mail itself; its links lead nowhere."""
    customer = customer_of(staff, customer_id)
    template = _template(staff, request.GET.get("rule", ""))
    return HttpResponse(preview_statement(merchant=staff.merchant, template=template, customer=customer, now=now()))


@require_safe
@for_staff
def pdf(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Show the statement of all that is open today, as the customer gets it."""
    customer = customer_of(staff, customer_id)
    customer.merchant = staff.merchant
    moment = now()
    day = day_in(staff.merchant.time_zone, moment)
    return pdf_response(statement_pdf(customer, moment), f"Statement {customer.number} {day.isoformat()}")


def _template(staff: Staff, rule_id: str) -> ReminderTemplate:
    """Return the template of the rule that a form names, else the usual one."""
    if not rule_id:
        return statement_template(staff.merchant)
    try:
        return statement_rule_of(staff, UUID(rule_id)).template
    except ValueError:
        raise Http404 from None
