"""The PDFs of the portal (an invoice, the statement of all that is open, the receipt of a payment), and files."""

from uuid import UUID

from allauth.core import ratelimit
from allauth.core.internal.ratelimit import consume
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from payorcrm.core.clock import day_in, now
from payorcrm.invoices.draw_invoice import invoice_pdf as draw_invoice
from payorcrm.invoices.draw_statement import statement_pdf
from payorcrm.payments.draw_receipt import receipt_name
from payorcrm.payments.draw_receipt import receipt_pdf as draw_receipt
from payorcrm.payments.links import LinkExpired
from payorcrm.portal.access import (
    Visit,
    file_of_customer,
    for_customers,
    invoice_of_customer,
    invoice_of_link,
    pay_page,
    payment_of_customer,
    payment_of_page,
    request_of_statement,
)
from payorcrm.portal.views.pay import expired
from payorcrm.portal.visitor import private_page
from payorcrm.ui.documents import download_response, pdf_response


@require_safe
@for_customers
def invoice_pdf(request: HttpRequest, visit: Visit, invoice_id: UUID) -> HttpResponse:
    """Show the merchant's own PDF of an invoice, else a drawn one."""
    invoice = invoice_of_customer(visit, invoice_id)
    return pdf_response(draw_invoice(invoice), _("Invoice %(number)s") % {"number": invoice.number})


@require_safe
@for_customers
def attached_file(request: HttpRequest, visit: Visit, file_id: UUID) -> HttpResponse:
    """Hand out a file that the merchant attached to an invoice for its customer."""
    file = file_of_customer(visit, file_id)
    return download_response(bytes(file.content), file_name=file.file_name, content_type=file.content_type)


@require_safe
@for_customers
def statement(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the statement of all that is open today."""
    moment = now()
    name = _("Statement %(day)s") % {"day": day_in(visit.merchant.time_zone, moment).isoformat()}
    return pdf_response(statement_pdf(visit.customer, moment), name)


@require_safe
@for_customers
def receipt_pdf(request: HttpRequest, visit: Visit, payment_id: UUID) -> HttpResponse:
    """Show what can be said of a payment today."""
    payment = payment_of_customer(visit, payment_id)
    return pdf_response(draw_receipt(payment), receipt_name(payment))


@private_page
@require_safe
def result_receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Show the same behind the signed link of the page that the payer came to."""
    payment = payment_of_page(request, token, now())
    return pdf_response(draw_receipt(payment), receipt_name(payment))


@private_page
@require_safe
def mailed_invoice(request: HttpRequest, token: str, invoice_id: UUID) -> HttpResponse:
    """Show the PDF of an invoice to whoever has the payment link of a mail that is about it."""
    try:
        page = pay_page(request, token, now())
    except LinkExpired:
        return expired(request, token)
    invoice = invoice_of_link(page, invoice_id)
    if not _may_draw(request, page.request.id):
        return ratelimit.respond_429(request)
    return pdf_response(draw_invoice(invoice), _("Invoice %(number)s") % {"number": invoice.number})


@private_page
@require_safe
def mailed_statement(request: HttpRequest, token: str) -> HttpResponse:
    """Show the statement of all that is open today to whoever has the link of a mail that offers it."""
    moment = now()
    asked = request_of_statement(request, token, moment)
    if not _may_draw(request, asked.id):
        return ratelimit.respond_429(request)
    name = _("Statement %(day)s") % {"day": day_in(asked.merchant.time_zone, moment).isoformat()}
    return pdf_response(statement_pdf(asked.customer, moment), name)


def _may_draw(request: HttpRequest, request_id: UUID) -> bool:
    # The public function counts no GET.
    usage = consume(request, app="allauth.account", action="mailed_pdf", key=str(request_id), limit_get=True)
    return usage is not None
