"""The portal's home page: a customer's invoices, one invoice, and the list as a file."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.core.clock import day_in, now
from payorcrm.invoices.owed import owed_by
from payorcrm.portal.access import Visit, for_customers, invoice_of_customer
from payorcrm.portal.invoice_export import HEAD, rows_to_export
from payorcrm.portal.invoice_frame import can_pick, frame_of, render_framed
from payorcrm.portal.invoice_history import history_of, lines_of, mails_about
from payorcrm.portal.invoice_list import Wanted
from payorcrm.portal.invoice_pages import written_page
from payorcrm.portal.invoice_rows import standing_of
from payorcrm.ui.exports import csv_response, xlsx_response


@require_safe
@for_customers
def invoices(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List the customer's invoices: what is unpaid first, and of that what is due first."""
    today = day_in(visit.merchant.time_zone, now())
    wanted = Wanted.read(request.GET)
    owed = owed_by(visit.customer.id, today=today)
    page = written_page(
        visit.customer, wanted, request.GET, today=today, can_pick=can_pick(visit, wanted), version=owed.version
    )
    frame = frame_of(request, visit, wanted, owed=owed.lines, is_empty=not page.rows)
    return render_framed(request, visit, frame, owed=owed.lines, page=page)


@require_safe
@for_customers
def invoice(request: HttpRequest, visit: Visit, invoice_id: UUID) -> HttpResponse:
    """Show one invoice: what it bills, what was paid of it, and what was written about it."""
    subject = invoice_of_customer(visit, invoice_id)
    today = day_in(visit.merchant.time_zone, now())
    shown = {
        "section": "invoices",
        "invoice": subject,
        "standing": standing_of(subject, today=today),
        "days_overdue": subject.days_overdue(today=today),
        "can_pay": subject.status == "open" and bool(subject.payable_money()) and not visit.is_viewing,
        "lines": lines_of(subject),
        "history": history_of(subject),
        "mails": mails_about(subject),
        "files": subject.files.defer("content").filter(is_for_customer=True).order_by("id"),
    }
    return render(request, "portal/invoice_page.html", shown)


@require_safe
@for_customers
def export(request: HttpRequest, visit: Visit, kind: str) -> HttpResponseBase:
    """Send all invoices of the list's tab and filters as a file, in the list's order."""
    if kind not in ("csv", "xlsx"):
        raise Http404
    today = day_in(visit.merchant.time_zone, now())
    wanted = Wanted.read(request.GET)
    found = wanted.invoices_of(visit.customer, today=today).order_by(*wanted.by)
    response_of = csv_response if kind == "csv" else xlsx_response
    head = [str(title) for title in HEAD]
    return response_of(f"invoices-{wanted.tab}-{today}.{kind}", head, rows_to_export(found, today=today))
