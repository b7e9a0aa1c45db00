"""What a template said before: the list of its versions, each one, and putting one into use again."""

import re
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import for_collectors, for_staff, template_of, version_of
from payorcrm.backoffice.template_forms import LANGUAGES
from payorcrm.backoffice.views.templates import address_of, customers_to_show, framing_previews
from payorcrm.merchants.models import Staff
from payorcrm.reminders.models import TemplateVersion
from payorcrm.reminders.templates import restore_version
from payorcrm.ui.paging import page_of


@require_safe
@for_staff
def versions(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """List the versions, the latest first."""
    found = template_of(staff, template_id)
    kept = TemplateVersion.objects.filter(template=found).select_related("saved_by")
    page = page_of(kept, by=("-id",), query=request.GET)
    context = {"section": "reminders", "template": found, "page": page, "languages": LANGUAGES}
    return render(request, "backoffice/template_versions.html", context)


@require_safe
@framing_previews
@for_staff
def version(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Show what a version said, as a customer would get it; the first one, unless the address says a number."""
    number = _number_in(request.GET, "1")
    found = version_of(staff, template_id, number)
    language = request.GET.get("language", "")
    subject, body = found.text_in(language)
    context = {
        "section": "reminders",
        "version": found,
        "template": found.template,
        "is_in_use": not found.template.versions.filter(number__gt=number).exists(),
        "languages": [(code, LANGUAGES.get(code, code)) for code in found.variants],
        "without": [LANGUAGES.get(code, code) for code in found.template.variants if code not in found.variants],
        "language": language if language in found.variants else "",
        "subject": subject,
        "body": body,
        "customers": customers_to_show(staff.merchant),
    }
    return render(request, "backoffice/template_version.html", context)


@require_POST
@for_collectors
def restore(request: HttpRequest, staff: Staff, template_id: UUID) -> HttpResponse:
    """Put a version into use again, as a new one."""
    template = template_of(staff, template_id)
    number = _number_in(request.POST, "")
    found = version_of(staff, template_id, number)
    restore_version(template, found, saved_by=staff.user)
    messages.success(request, f"Version {number} is in use again. The next reminders say what it says.")
    return redirect(address_of(staff, template))


def _number_in(sent_in: QueryDict, default: str) -> int:
    number = sent_in.get("number", default)
    if not re.fullmatch(r"[0-9]{1,9}", number):
        raise Http404
    return int(number)
