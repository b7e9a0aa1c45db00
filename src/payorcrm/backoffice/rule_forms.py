"""What staff type in about reminders that run by themselves: a rule, the schedule, a hold."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from babel import Locale
from django import forms
from django.db.models import Q, QuerySet
from holidays import country_holidays
from holidays.utils import list_supported_countries

from payorcrm.backoffice.forms import ALL, Filter, day_field, search_field
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import REVIEWED_AFTER, Hold, HoldQuerySet, HoldReason, ReminderTemplate, Rule, Schedule
from payorcrm.reminders.rehearsal_models import RehearsedMail

_SUBDIVISIONS = list_supported_countries(include_aliases=False)
_NAMES = Locale("en").territories
COUNTRIES = sorted(((code, _NAMES.get(code, code)) for code in _SUBDIVISIONS), key=lambda each: each[1])
HOLD_STATES = [("review", "To look at"), ("ended", "Ended"), ("all", "All")]
WEEKDAYS = list(enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]))


def subdivisions_of(country: str) -> list[tuple[str, str]]:
    """Return the states or provinces of a country whose holidays are known, by name."""
    codes = _SUBDIVISIONS.get(country, [])
    if not codes:
        return []
    names = country_holidays(country).get_subdivision_aliases()
    return sorted(((code, (names.get(code) or [code])[0]) for code in codes), key=lambda each: each[1])


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
            *COUNTRIES,
        ],
        help_text="Its states and provinces can be chosen once it is saved.",
    )
    subdivision = forms.CharField(
        label="And of its state or province",
        required=False,
        max_length=40,
        widget=forms.Select(),
    )

    def __init__(self, sent_in: Any, *, instance: Schedule) -> None:
        super().__init__(sent_in, instance=instance)
        country = self.data.get("country", "") if self.is_bound else instance.country
        self.subdivisions = subdivisions_of(country)
        if self.subdivisions:
            choices = [("", "No state or province"), *self.subdivisions]
            self.fields["subdivision"].widget.choices = choices  # type: ignore[attr-defined]
            self.fields["country"].help_text = ""
        elif not self.is_bound:
            del self.fields["subdivision"]

    def clean_subdivision(self) -> str:
        """Forget a state of another country."""
        chosen: str = self.cleaned_data["subdivision"]
        return chosen if chosen in dict(self.subdivisions) else ""

    class Meta:
        model = Schedule
        fields = ["send_at", "weekdays", "country", "subdivision", "min_days_between", "brake_factor"]
        labels = {
            "send_at": "Time of day",
            "min_days_between": "Least days between two mails to one customer",
            "brake_factor": "Hold a run that is so many times the usual size",
        }
        help_texts = {
            "send_at": "In your time zone. What falls on another day is sent on the next day that you choose.",
            "min_days_between": "1 to 60. What is left out is tried again for five days, and on your next day.",
            "brake_factor": (
                "A run of more mails or invoices waits for you, and you are told by mail. 20 mails about 100 invoices"
                " never wait for their number."
            ),
        }
        widgets = {"send_at": forms.TimeInput(format="%H:%M", attrs={"type": "time"})}


class HoldForm(forms.Form):
    """Why no reminder goes out, and for how long."""

    reason = forms.ChoiceField(choices=HoldReason.choices)
    until = day_field("Last day")
    until.help_text = (
        "A promise to pay and a pause need one. Without it, a reply holds for {reply} days, a dispute for {dispute},"
        " and paying automatically for {autopay}; around the last day the dashboard reminds you of it."
    ).format(**{reason.value: days for reason, days in REVIEWED_AFTER.items()})
    note = forms.CharField(max_length=300, required=False)


class DayForm(forms.Form):
    """Which day to look at."""

    day = day_field("Day")

    def __init__(self, sent_in: Any, *, initial: dict[str, Any]) -> None:
        super().__init__(sent_in, initial=initial)
        self.fields["day"].required = True
        self.fields["day"].error_messages["required"] = "Choose a day."


class HoldFilter(Filter):
    """Filters of the list of holds."""

    search = search_field("Customer, invoice or note")
    state = forms.ChoiceField(label="State", required=False, choices=[("", "In force"), *HOLD_STATES])
    reason = forms.ChoiceField(label="Reason", required=False, choices=[ALL, *HoldReason.choices])

    def narrow(self, holds: HoldQuerySet, *, today: date) -> QuerySet[Hold]:
        """Keep the holds that fit; those in force, unless others are asked for."""
        if words := self.given("search"):
            fits = Q(customer__company_name__icontains=words) | Q(invoice__number__icontains=words)
            holds = holds.filter(fits | Q(note__icontains=words) | Q(customer__number__iexact=words))
        if reason := self.given("reason"):
            holds = holds.filter(reason=reason)
        state = self.given("state")
        if state == "ended":
            return holds.filter(Q(ended_at__isnull=False) | Q(until__lt=today))
        if state == "review":
            return holds.to_review(today=today)
        return holds if state == "all" else holds.active(today=today)


class RehearsedMailFilter(Filter):
    """Which mails of one day of a kept rehearsal are shown."""

    search = search_field("Customer")
    of = forms.CharField(required=False, widget=forms.HiddenInput)
    day = forms.DateField(required=False, widget=forms.HiddenInput)

    def days(self) -> list[date]:
        """Return the day that is asked for, if one is."""
        self.is_valid()
        day = self.cleaned_data.get("day")
        return [day] if day else []

    def narrow(self, mails: QuerySet[RehearsedMail]) -> QuerySet[RehearsedMail]:
        """Keep the mails of the day to customers that fit."""
        if words := self.given("search"):
            mails = mails.filter(Q(customer__company_name__icontains=words) | Q(customer__number__iexact=words))
        return mails.filter(day__in=self.days())

    def is_narrow(self) -> bool:
        """Say whether mails of the day are left out."""
        return bool(self.given("search"))


def schedule_form(sent_in: Any, schedule: Schedule, merchant: Merchant) -> ScheduleForm:
    """Return the form of a merchant's schedule, which need not be stored yet."""
    schedule.merchant = merchant
    return ScheduleForm(sent_in, instance=schedule)
