"""What staff type in about reminders that run by themselves: a rule, the schedule, a hold."""

from typing import Any

from django import forms
from holidays.utils import list_supported_countries

from payorcrm.backoffice.forms import day_field
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.conditions import Tree
from payorcrm.reminders.known_conditions import MOST_DAYS
from payorcrm.reminders.models import HoldReason, ReminderTemplate, Rule, Schedule

WHEN = {
    "due_in": "Due in exactly … days",
    "overdue_exactly": "Overdue by exactly … days",
}
COUNTRIES = sorted(list_supported_countries(include_aliases=False))
WEEKDAYS = list(enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]))


def simple_condition(rule: Rule) -> Tree | None:
    """Return the only condition of a rule that says nothing but a number of days."""
    parts = rule.conditions.get("all", [])
    return parts[0] if len(parts) == 1 and parts[0].get("if") in WHEN else None


class RuleForm(forms.Form):
    """A rule's name, template and days."""

    name = forms.CharField(max_length=100, help_text="Only you see it.")
    template = forms.ModelChoiceField(ReminderTemplate.objects.none(), empty_label=None)
    when = forms.ChoiceField(choices=WHEN.items())
    days = forms.IntegerField(min_value=0, max_value=MOST_DAYS)

    def __init__(self, sent_in: Any, *, rule: Rule) -> None:
        condition = simple_condition(rule)
        initial = {"name": rule.name, "template": rule.template_id}
        if condition:
            initial |= {"when": condition["if"], "days": condition["is"]}
        super().__init__(sent_in, initial=initial)
        self.rule = rule
        if not condition:
            del self.fields["when"], self.fields["days"]
        templates = ReminderTemplate.objects.filter(merchant=rule.merchant_id).order_by("-is_default", "name")
        self.fields["template"].queryset = templates  # type: ignore[attr-defined]

    def conditions(self) -> Tree:
        """Return the tree that the form describes; conditions that it does not show stay as they are."""
        if "when" not in self.fields:
            return dict(self.rule.conditions)
        return {"all": [{"if": self.cleaned_data["when"], "is": self.cleaned_data["days"]}]}


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
