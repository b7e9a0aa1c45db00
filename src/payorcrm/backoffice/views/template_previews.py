"""How a text in the editor looks to a real customer, what is wrong with it, and a test of it by mail."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from payorcrm.backoffice.access import customer_of, for_collectors, for_staff, kept_template_of, template_of
from payorcrm.backoffice.audit import writing_down
from payorcrm.backoffice.framed_mail import framed_mail
from payorcrm.backoffice.template_forms import TemplateForm, words_of
from payorcrm.backoffice.views.templates import editor_page, framing_previews
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.customers.models import Customer
from payorcrm.merchants.models import Staff
from payorcrm.reminders.check_template import check_text
from payorcrm.reminders.fields import TemplateRefused
from payorcrm.reminders.preview_template import preview_template
from payorcrm.reminders.send_test import send_test


@require_POST
@framed_mail
@for_staff
def preview(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Show the text in the editor as one customer's mail; nothing is saved or sent."""
    kept_template_of(staff, template_id)
    customer, is_dark = _customer_in(request, staff), "dark" in request.POST
    try:
        mail = preview_template(
            merchant=staff.merchant,
            customer=customer,
            now=clock.now(),
            is_dark=is_dark,
            **_text_in(request),
        )
    except TemplateRefused as refusal:
        return render(request, "backoffice/template_refused.html", {"text": words_of(refusal), "is_dark": is_dark})
    return HttpResponse(mail)


@require_POST
@for_collectors
def check(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Say what is wrong with the text in the editor."""
    template_of(staff, template_id)
    problems = check_text(request.POST.get("subject", ""), request.POST.get("body", ""))
    return render(request, "backoffice/template_problems.html", {"problems": problems})


@require_POST
@framing_previews
@for_collectors
def test(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Mail the text in the editor to whoever presses; the page keeps what is not saved."""
    found, customer = template_of(staff, template_id), _customer_in(request, staff)
    tone, words = "good", f"A test is on its way to {staff.user.email}. No customer gets it."
    try:
        _send_test(request, staff, customer)
    except Refused as refusal:
        tone, words = "bad", f"No test was sent. {words_of(refusal)}"
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "backoffice/template_tested.html", {"tone": tone, "words": words})
    (messages.success if tone == "good" else messages.error)(request, words)
    return editor_page(request, staff, found, TemplateForm(initial=request.POST.dict()))


def _send_test(request: HttpRequest, staff: Staff, customer: Customer | None) -> None:
    text = _text_in(request)
    with transaction.atomic():
        send_test(merchant=staff.merchant, customer=customer, asked_by=staff.user, now=clock.now(), **text)
        writing_down(request)()


def _text_in(request: HttpRequest) -> dict[str, str]:
    """Return subject, body and language, which a template without a name has, too. Raises TemplateRefused."""
    form = TemplateForm(request.POST)
    for name in ("subject", "body", "language"):
        for problem in form.errors.get(name, ()):
            raise TemplateRefused(f"{form[name].label}: {problem}")
    return {name: form.cleaned_data[name] for name in ("subject", "body", "language")}


def _customer_in(request: HttpRequest, staff: Staff) -> Customer | None:
    """Return the customer to show; nobody while a merchant has none."""
    text = request.POST.get("customer", "")
    try:
        return customer_of(staff, UUID(text)) if text else None
    except ValueError:
        raise Http404 from None
