"""Templates of reminder mails: the list, the editor, and how one looks to a real customer."""

from uuid import UUID

from csp.decorators import csp_replace, csp_update
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from payorcrm.backoffice.access import NotYourRole, customer_of, for_staff, template_of
from payorcrm.backoffice.forms import TemplateForm
from payorcrm.core import clock
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.reminders.fields import MERGE_FIELDS, TemplateRefused
from payorcrm.reminders.models import ReminderRun, ReminderTemplate
from payorcrm.reminders.preview_template import preview_template
from payorcrm.reminders.templates import save_template, template_for

_FEW = 20
# A mail is a page of its own with styles inside; nothing in it may run, and only our pages may frame it.
_MAIL_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'none'"],
    "connect-src": ["'none'"],
    "frame-src": ["'none'"],
    "img-src": ["'self'", "data:"],
    "style-src": ["'unsafe-inline'"],
    "frame-ancestors": ["'self'"],
    "form-action": ["'none'"],
    "base-uri": ["'none'"],
}


@require_safe
@for_staff
def templates(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the templates; there is always one."""
    template_for(staff.merchant)
    found = ReminderTemplate.objects.filter(merchant=staff.merchant).order_by("-is_default", "name")
    runs = ReminderRun.objects.filter(merchant=staff.merchant).select_related("template", "started_by")
    context = {"section": "reminders", "templates": found, "runs": runs.order_by("-id")[:_FEW]}
    return render(request, "backoffice/template_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@csp_update({"frame-src": ["'self'"]})
@for_staff
def template(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Show a template and let collectors change it."""
    subject = template_of(staff, template_id)
    if request.method == "POST" and not staff.can_change():
        raise NotYourRole
    form = TemplateForm(
        request.POST or None, initial={"name": subject.name, "subject": subject.subject, "body": subject.body}
    )
    if request.method == "POST" and form.is_valid() and _is_saved(subject, form):
        messages.success(request, "The template is saved. The next reminders use it.")
        return redirect("backoffice:template", merchant_slug=staff.merchant.slug, template_id=subject.id)
    context = {
        "section": "reminders",
        "template": subject,
        "form": form,
        "fields": [(f"{{{{{name}}}}}", label) for name, label in MERGE_FIELDS.items()],
        "customers": _customers_to_show(staff.merchant),
    }
    return render(request, "backoffice/template_page.html", context)


@require_http_methods(["POST"])
@xframe_options_sameorigin
@csp_replace(_MAIL_POLICY)
@for_staff
def preview(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Show the text in the editor as one customer's mail; nothing is saved or sent."""
    template_of(staff, template_id)
    customer = customer_of(staff, _id_in(request.POST.get("customer", "")))
    try:
        draft = preview_template(
            merchant=staff.merchant, customer=customer, now=clock.now(), **_text_in(TemplateForm(request.POST))
        )
    except TemplateRefused as refusal:
        return render(request, "backoffice/template_refused.html", {"text": str(refusal)})
    return HttpResponse(draft)


def _text_in(form: TemplateForm) -> dict[str, str]:
    """Return subject and body, which a template without a name has, too. Raises TemplateRefused."""
    for name in ("subject", "body"):
        for problem in form.errors.get(name, ()):
            raise TemplateRefused(f"{form[name].label}: {problem}")
    return {name: form.cleaned_data[name] for name in ("subject", "body")}


def _is_saved(subject: ReminderTemplate, form: TemplateForm) -> bool:
    try:
        save_template(subject, **form.cleaned_data)
    except TemplateRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _customers_to_show(merchant: Merchant) -> list[Customer]:
    """Return a few customers who would get a reminder now; if there is none, any few."""
    today = clock.day_in(merchant.time_zone, clock.now())
    late = Invoice.objects.filter(merchant=merchant).overdue(today=today).payable().values("customer")
    customers = Customer.objects.filter(merchant=merchant).order_by("company_name", "id")
    return list(customers.filter(id__in=late)[:_FEW]) or list(customers[:_FEW])


def _id_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
