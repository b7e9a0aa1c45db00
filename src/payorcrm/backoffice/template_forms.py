"""What staff type into the editor of reminders, and which texts of a template there are to edit."""

from dataclasses import dataclass

from django import forms
from django.conf import settings

from payorcrm.core.errors import Refused
from payorcrm.core.language import speaking
from payorcrm.reminders.check_template import LONGEST_BODY
from payorcrm.reminders.default_template import OUR_TEXTS, in_their_words
from payorcrm.reminders.fields import TemplateMistake, UnknownField
from payorcrm.reminders.models import ReminderTemplate
from payorcrm.reminders.templates import LONGEST_NAME

LANGUAGES = dict(settings.LANGUAGES)
TO_MEND = "Please mend what is listed below the text."


class TemplateForm(forms.Form):
    """The text of a reminder; `reminders` says whether its fields are known."""

    name = forms.CharField(max_length=LONGEST_NAME, help_text="Only you see it.")
    subject = forms.CharField(max_length=300)
    body = forms.CharField(
        max_length=LONGEST_BODY,
        label="Text",
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "true", "class": "code"}),
    )
    # Of the customers who get this text; empty for that of everybody else.
    language = forms.ChoiceField(
        choices=[("", "Everybody"), *LANGUAGES.items()], required=False, widget=forms.HiddenInput
    )
    based_on = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


def words_of(refusal: Refused) -> str:
    """Return what a refusal says; one about a line, of which the editor shows no numbers, leads to the list."""
    return TO_MEND if isinstance(refusal, (UnknownField, TemplateMistake)) else str(refusal)


@dataclass(frozen=True, slots=True)
class Variant:
    """One text of a template: for customers of a language, or for all others."""

    language: str
    label: str
    is_written: bool
    is_ours: bool = False


def variants_of(template: ReminderTemplate) -> list[Variant]:
    """Return the texts that a template has or may have, that for everybody first."""
    is_ours = template.body in OUR_TEXTS
    offered = [
        Variant(language, label, language in template.variants, is_ours and language not in template.variants)
        for language, label in LANGUAGES.items()
        if language in template.variants or language != template.merchant.language
    ]
    return [Variant("", "Everybody", is_written=True, is_ours=is_ours), *offered]


def text_to_edit(template: ReminderTemplate, language: str) -> tuple[str, str]:
    """Return subject and body of a text; one that is not written yet begins with ours, or with that for everybody."""
    if not language or language in template.variants:
        return template.text_in(language)
    with speaking(language):
        return in_their_words(template.subject), in_their_words(template.body)
