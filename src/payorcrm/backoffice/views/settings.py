"""The merchant's settings, a page for each section; owners change them, others of the staff may look."""

import re

from django import forms
from django.conf import settings as installation
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from payorcrm.backoffice.access import NotYourRole, for_staff
from payorcrm.backoffice.contrast_warnings import verdict_on
from payorcrm.backoffice.settings_forms import BrandingForm, CompanyForm, PortalForm, SectionForm
from payorcrm.backoffice.settings_sections import render_section
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.reminders.models import Rule
from payorcrm.reminders.sending_days import schedule_of
from payorcrm.ui.colors import Shades, palette_of


@require_safe
@for_staff
def settings(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Lead to the first section."""
    return redirect("backoffice:settings_company", merchant_slug=staff.merchant.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def company(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show and change who the merchant is."""
    return _section(request, staff, "company", CompanyForm, {})


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def branding(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show and change how the merchant looks."""
    accent = staff.merchant.accent_color
    shown: dict[str, object] = {"looks": palette_of(accent), "verdict": verdict_on(accent)}
    return _section(request, staff, "branding", BrandingForm, shown)


@require_safe
@for_staff
def branding_preview(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Return the shades of a colour that is not saved yet, and what is to be said about it."""
    accent = request.GET.get("accent_color", staff.merchant.accent_color)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", accent):
        return JsonResponse({"words": "Write the colour as # and six digits."}, status=422)
    palette, verdict = palette_of(accent), verdict_on(accent)
    return JsonResponse(
        {
            "light": _tokens(palette.light),
            "dark": _tokens(palette.dark),
            "words": verdict.words,
            "is_good": verdict.is_good,
        }
    )


def _tokens(shades: Shades) -> dict[str, str]:
    """Name the shades as the style sheet does."""
    pairs = (
        pair.split(":") for pair in render_to_string("ui/shades.html", {"shades": shades}).split(";") if ":" in pair
    )
    return {name.strip(): value.strip() for name, value in pairs}


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def portal(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show and change what customers can do in the portal, and where its entrance is."""
    entrance = f"{installation.PUBLIC_URL}{reverse('portal:entrance', args=[staff.merchant.slug])}"
    return _section(request, staff, "portal", PortalForm, {"entrance": entrance})


@require_safe
@for_staff
def reminders(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show when reminders go out, and lead to where that is changed."""
    active_count = Rule.objects.filter(merchant=staff.merchant, is_active=True).count()
    shown = {"schedule": schedule_of(staff.merchant), "active_count": active_count}
    return render_section(request, "settings_reminders", "backoffice/settings_reminders.html", shown)


def _section(
    request: HttpRequest, staff: Staff, name: str, form_class: type[SectionForm], shown: dict[str, object]
) -> HttpResponse:
    if request.method == "POST" and not staff.can_change_settings():
        raise NotYourRole
    # A form writes into its instance while it validates; the page's head must go on showing what is saved.
    form = form_class(request.POST or None, request.FILES or None, instance=Merchant.objects.get(id=staff.merchant_id))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The settings are saved.")
        return redirect(f"backoffice:settings_{name}", merchant_slug=staff.merchant.slug)
    context = {"form": form, "facts": _facts(form)} | shown
    return render_section(request, f"settings_{name}", f"backoffice/settings_{name}.html", context)


def _facts(form: SectionForm) -> list[tuple[str, object]]:
    """Return what is saved in words, for those who may only look."""
    return [(str(bound.label), _in_words(bound)) for bound in form if bound.name in form.COLUMNS]


def _in_words(bound: forms.BoundField) -> object:
    value = bound.initial
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return dict(getattr(bound.field, "choices", ())).get(value, value)
