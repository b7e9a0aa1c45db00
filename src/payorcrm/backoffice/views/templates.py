"""Templates of reminder mails: the list, the editor, and what may be done with one."""

from uuid import UUID

from csp.decorators import csp_update
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.backoffice.access import NotYourRole, for_collectors, for_staff, template_of
from payorcrm.backoffice.template_forms import LANGUAGES, TO_MEND, TemplateForm, text_to_edit, variants_of, words_of
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.reminders.check_template import check_text
from payorcrm.reminders.default_template import STARTS
from payorcrm.reminders.fields import BLOCK_FIELDS, LINK_FIELDS, MERGE_FIELDS, TemplateRefused
from payorcrm.reminders.models import ReminderRun, ReminderTemplate, Rule
from payorcrm.reminders.templates import (
    HasProblems,
    SavedMeanwhile,
    copy_template,
    delete_template,
    make_default,
    remove_variant,
    rules_with,
    save_template,
    start_template,
    template_for,
    version_of,
)
from payorcrm.statements.models import StatementRule

FEW = 20
# The page frames its own previews.
framing_previews = csp_update({"frame-src": ["'self'"]})


@require_safe
@for_staff
def templates(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the templates; there is always one."""
    template_for(staff.merchant)
    found = ReminderTemplate.objects.filter(merchant=staff.merchant).select_related("merchant")
    rules = _rules_by_template(staff.merchant)
    rows = [
        {"template": each, "variants": [one for one in variants_of(each) if one.language], "rules": rules.get(each.id)}
        for each in found.order_by("-is_default", "name")
    ]
    runs = ReminderRun.objects.filter(merchant=staff.merchant).select_related(
        "template", "version", "started_by", "rule"
    )
    context = {"section": "reminders", "rows": rows, "starts": STARTS, "runs": runs.order_by("-id")[:FEW]}
    return render(request, "backoffice/template_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@framing_previews
@for_staff
def template(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Show a text of a template and let collectors change it."""
    found = template_of(staff, template_id)
    if request.method != "POST":
        return editor_page(request, staff, found, opened_form(found, request.GET.get("language", "")))
    if not staff.can_change():
        raise NotYourRole
    form = TemplateForm(request.POST)
    if form.is_valid() and _is_saved(staff, found, form):
        messages.success(request, "The template is saved. The next reminders use it.")
        warnings = check_text(form.cleaned_data["subject"], form.cleaned_data["body"])
        for warning in warnings:
            messages.warning(request, warning.words)
        return redirect(address_of(staff, found, form.cleaned_data["language"]))
    return editor_page(request, staff, found, form)


def opened_form(template: ReminderTemplate, language: str) -> TemplateForm:
    """Return the form with a text of a template, or 404 for a language that there is not."""
    if language and language not in LANGUAGES:
        raise Http404
    subject, body = text_to_edit(template, language)
    version = version_of(template)
    initial = {"name": template.name, "subject": subject, "body": body, "language": language}
    return TemplateForm(initial=initial | {"based_on": version.number})


def editor_page(request: HttpRequest, staff: Staff, template: ReminderTemplate, form: TemplateForm) -> HttpResponse:
    """Show what is in a form, with all that there is to say about it."""
    language = str(form["language"].value() or "")
    context = {
        "section": "reminders",
        "template": template,
        "form": form,
        "fields": [(name, label, name in BLOCK_FIELDS.keys() - LINK_FIELDS) for name, label in MERGE_FIELDS.items()],
        "variants": variants_of(template),
        "language": language,
        "language_label": LANGUAGES.get(language, ""),
        "is_written": not language or language in template.variants,
        "problems": check_text(str(form["subject"].value() or ""), str(form["body"].value() or "")),
        "customers": customers_to_show(staff.merchant),
        "shown": request.POST.get("customer", ""),
        "version": version_of(template),
        "rules": rules_with(template),
    }
    return render(request, "backoffice/template_page.html", context)


@require_POST
@for_collectors
def new(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Make a template that begins with the chosen text of ours."""
    made = start_template(merchant=staff.merchant, start=request.POST.get("start", ""), saved_by=staff.user)
    messages.success(request, f"“{made.name}” is there. Change it as you like; nothing is sent with it yet.")
    return redirect(address_of(staff, made))


@require_POST
@for_collectors
def copy(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Make another template that says the same."""
    made = copy_template(template_of(staff, template_id), saved_by=staff.user)
    messages.success(request, f"This is “{made.name}”. The first one stays as it is.")
    return redirect(address_of(staff, made))


@require_POST
@for_collectors
def default(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Let reminders that name no template use this one."""
    found = template_of(staff, template_id)
    make_default(found)
    messages.success(request, f"“{found.name}” is the default now. Rules keep the templates that they name.")
    return redirect(address_of(staff, found))


@require_POST
@for_collectors
def delete(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Take a template away that nothing needs."""
    found = template_of(staff, template_id)
    delete_template(found, now=clock.now())
    messages.success(request, f"“{found.name}” is deleted. Mails that were sent with it stay as they are.")
    return redirect("backoffice:templates", merchant_slug=staff.merchant.slug)


@require_POST
@for_collectors
def remove_text(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Let customers of a language get the text for everybody again."""
    found, language = template_of(staff, template_id), request.POST.get("language", "")
    if language not in found.variants:
        raise Refused("There is no text in this language. Nothing was changed.")
    remove_variant(found, language, saved_by=staff.user)
    label = LANGUAGES.get(language, language)
    messages.success(request, f"The text in {label} is removed; its customers get the one for everybody.")
    return redirect(address_of(staff, found))


def address_of(staff: Staff, template: ReminderTemplate, language: str = "") -> str:
    """Return where a text of a template is edited."""
    page = reverse("backoffice:template", args=[staff.merchant.slug, template.id])
    return f"{page}?language={language}" if language else page


def customers_to_show(merchant: Merchant) -> list[Customer]:
    """Return a few customers who would get a reminder now; if there is none, any few."""
    today = clock.day_in(merchant.time_zone, clock.now())
    late = Invoice.objects.filter(merchant=merchant).overdue(today=today).payable().values("customer")
    customers = Customer.objects.filter(merchant=merchant).order_by("company_name", "id")
    return list(customers.filter(id__in=late)[:FEW]) or list(customers[:FEW])


def _rules_by_template(merchant: Merchant) -> dict[UUID, list[str]]:
    """Return the names of the rules that send mails of each template, in two queries."""
    found: dict[UUID, list[str]] = {}
    reminding = Rule.objects.filter(merchant=merchant, removed_at__isnull=True).order_by("position")
    for rules in (reminding, StatementRule.objects.filter(merchant=merchant).order_by("name")):
        for template_id, name in rules.values_list("template", "name"):  # type: ignore[attr-defined]
            found.setdefault(template_id, []).append(name)
    return found


def _is_saved(staff: Staff, template: ReminderTemplate, form: TemplateForm) -> bool:
    try:
        save_template(template, **form.cleaned_data, saved_by=staff.user)
    except HasProblems:
        form.add_error(None, TO_MEND)
    except SavedMeanwhile as refusal:
        form.add_error(None, str(refusal))
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["based_on"] = str(refusal.version.number)  # type: ignore[index]
    except TemplateRefused as refusal:
        form.add_error(None, words_of(refusal))
    else:
        return True
    return False
