"""The settings of the portal: the person who is signed in, and the mails to the company they act for."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _

from payorcrm.core.clock import now
from payorcrm.core.language import known_language
from payorcrm.customers.direct_mails import direct_mails
from payorcrm.customers.models import Topic
from payorcrm.customers.set_preferences import choose_language, introduce
from payorcrm.portal.access import Visit, for_own_users
from payorcrm.portal.settings_forms import DirectionForm, MailLanguageForm, PersonForm, directions_of

_PERSON, _MAILS = "person", "mails"


@for_own_users
def settings(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what can be chosen; POST keeps one half of it, named by its button."""
    typed = request.POST if request.method == "POST" else None
    part = request.POST.get("part", "")
    person = PersonForm(visit.user, typed if part == _PERSON else None)
    mails = typed if part == _MAILS else None
    language = MailLanguageForm(visit.customer, mails)
    directions = [DirectionForm(one, mails) for one in directions_of(visit.customer)]
    if part == _PERSON and person.is_valid():
        return _keep_person(request, visit, person)
    if part == _MAILS and all([language.is_valid(), *(form.is_valid() for form in directions)]):
        return _keep_mails(request, visit, language, directions)
    has_errors = any(form.errors for form in (person, language, *directions))
    shown = {"person": person, "mail_language": language, "directions": directions, "has_errors": has_errors}
    return render(request, "portal/settings_page.html", shown | {"section": "settings"}, status=422 if typed else 200)


def _keep_person(request: HttpRequest, visit: Visit, form: PersonForm) -> HttpResponse:
    language = form.language()
    introduce(user=visit.user, name=form.cleaned_data["name"], language=language)
    asked = language or translation.get_language_from_request(request)
    with translation.override(known_language(asked)):
        messages.success(request, _("Saved."))
    return redirect("portal:settings")


@transaction.atomic
def _keep_mails(
    request: HttpRequest, visit: Visit, language: MailLanguageForm, directions: list[DirectionForm]
) -> HttpResponse:
    choose_language(customer=visit.customer, language=language.language())
    for form in directions:
        if form.has_changed():
            typed = form.cleaned_data
            direct_mails(
                customer=visit.customer,
                topic=Topic(form.topic),
                is_wanted=typed["is_wanted"],
                to=typed["to"],
                cc=typed["cc"],
                changed_by=visit.user,
                now=now(),
            )
    messages.success(request, _("Saved. The next mails follow it."))
    return redirect("portal:settings")
