"""What staff type in about reminders that run by themselves: a rule, the schedule, a hold."""

from collections.abc import Mapping
from typing import Any

from django import forms
from holidays.utils import list_supported_countries

from payorcrm.backoffice.forms import day_field
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import HoldReason, ReminderTemplate, Rule, Schedule

COUNTRIES = sorted(list_supported_countries(include_aliases=False))
WEEKDAYS = list(enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]))


class RuleForm(forms.Form):
    """A rule's name and template; its conditions are written beside it."""

    name = forms.CharField(max_length=100, help_text="Only you see it.")
    template = forms.ModelChoiceField(
        ReminderTemplate.objects.none(), empty_label=None, help_text="The text of its mails."
    )

    def __init__(self, sent_in: Any, *, rule: Rule, typed_in: Mapping[str, Any] | None = None) -> None:
        stored = {"name": rule.name, "template": rule.template_id}
        super().__init__(sent_in, initial=stored | dict(typed_in or {}))
        templates = ReminderTemplate.objects.filter(merchant=rule.merchant_id).order_by("-is_default", "name")
        self.fields["template"].queryset = templates  # type: ignore[attr-defined]


class ScheduleForm(forms.ModelForm):
    """When rules send, and when a run waits for a person."""

    weekdays = forms.TypedMultipleChoiceField(choices=WEEKDAYS, coerce=int, widget=forms.CheckboxSelectMultiple)
    country = forms.ChoiceField(
        label="No mails on public holidays of",
        required=False,
        choices=[
            ("", "No country"),
            *((code, code) for code in COUNTRIES),
        ],
    )

    class Meta:
        model = Schedule
        fields = ["send_at", "weekdays", "country", "min_days_between", "brake_factor"]
        labels = {
            "send_at": "Time of day",
            "min_days_between": "Least days between two mails to one customer",
            "brake_factor": "Hold a run with more mails than usual, times",
        }
        help_texts = {
            "send_at": "In your time zone. What falls on another day is sent on the next day that you choose.",
            "min_days_between": "What is left out for that is sent within five days. 0 to 60.",
            "brake_factor": "Such a run waits until you have looked at it. Small runs never wait for this.",
        }
        widgets = {"send_at": forms.TimeInput(format="%H:%M", attrs={"type": "time"})}


class HoldForm(forms.Form):
    """Why no reminder goes out, and for how long."""

    reason = forms.ChoiceField(choices=HoldReason.choices)
    until = day_field("Last day")
    note = forms.CharField(max_length=300, required=False)


def schedule_form(sent_in: Any, schedule: Schedule, merchant: Merchant) -> ScheduleForm:
    """Return the form of a merchant's schedule, which need not be stored yet."""
    schedule.merchant = merchant
    return ScheduleForm(sent_in, instance=schedule)
