"""What staff type in: filters of lists, the text of a template, whom to remind."""

from datetime import date, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.http import QueryDict

from payorcrm.mail.models import Mail, MailQuerySet, MailState
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.models import KIND_LABELS
from payorcrm.payments.models import OfflineKind, Payment, PaymentStanding, PaymentState
from payorcrm.payments.queries import standing_is, with_something_unapplied
from payorcrm.reminders.models import ReminderTemplate

ALL = ("", "All")
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2099, 12, 31)


def search_field(what: str) -> forms.CharField:
    """Return a box to search in."""
    return forms.CharField(
        label="Search",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": what}),
    )


class DayInput(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"min": FIRST_DAY.isoformat(), "max": LAST_DAY.isoformat()})


def day_field(label: str) -> forms.DateField:
    """Return a day to filter by, far from the ends of the calendar."""
    refusal = f"Choose a day from {FIRST_DAY.year} to {LAST_DAY.year}."
    limits = [MinValueValidator(FIRST_DAY, refusal), MaxValueValidator(LAST_DAY, refusal)]
    return forms.DateField(label=label, required=False, widget=DayInput(), validators=limits)


class Filter(forms.Form):
    """Filters in an address: what cannot be read narrows nothing."""

    use_required_attribute = False
    # Fields that stand behind a press, so that a bar of filters stays short.
    MORE: ClassVar[tuple[str, ...]] = ()

    def first_fields(self) -> list[forms.BoundField]:
        """Return the fields that are always in sight."""
        return [bound for bound in self.visible_fields() if bound.name not in self.MORE]

    def more_fields(self) -> list[forms.BoundField]:
        """Return the fields behind the press."""
        return [bound for bound in self.visible_fields() if bound.name in self.MORE]

    def is_refined(self) -> bool:
        """Say whether a field behind the press is filled in."""
        return any(self.given(name) or name in self.errors for name in self.MORE)

    def given(self, name: str) -> str:
        """Return a valid value, or nothing."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")

    def is_narrow(self) -> bool:
        """Say whether anything is filtered at all; an order leaves nothing out."""
        return any(self.given(name) for name in self.fields if name != "sort")


def _hidden_day() -> forms.DateField:
    return forms.DateField(
        required=False, widget=forms.HiddenInput, validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
    )


class PaymentFilter(Filter):
    """Filters of the payments' list and of its export."""

    MORE = ("unapplied",)

    search = search_field("Reference or customer")
    state = forms.ChoiceField(label="Status", required=False, choices=[ALL, *PaymentStanding.choices])
    kind = forms.ChoiceField(
        label="Method",
        required=False,
        choices=[
            ALL,
            *((kind.value, label) for kind, label in KIND_LABELS.items()),
            ("offline", "Offline: any"),
            *OfflineKind.choices,
        ],
    )
    unapplied = forms.ChoiceField(label="Unapplied", required=False, choices=[ALL, ("yes", "Something is unapplied")])
    since = day_field("From")
    until = day_field("Until")
    customer = forms.UUIDField(required=False, widget=forms.HiddenInput)
    # What the figures of the dashboard lead to.
    currency = forms.CharField(required=False, max_length=3, widget=forms.HiddenInput)
    settled_since = _hidden_day()
    settled_until = _hidden_day()
    returned_since = _hidden_day()

    def narrow(self, payments: QuerySet[Payment], *, time_zone: str) -> QuerySet[Payment]:
        """Keep the payments that fit; days are the merchant's."""
        if words := self.given("search"):
            fits = Q(reference__icontains=words) | Q(customer__company_name__icontains=words)
            payments = payments.filter(fits | Q(gateway_reference=words) | Q(offline_reference__iexact=words))
        payments = self._by_state(payments)
        if kind := self.given("kind"):
            payments = payments.filter(_of_kind(kind))
        if self.given("unapplied"):
            payments = with_something_unapplied(payments)
        if customer := self.cleaned_data.get("customer"):
            payments = payments.filter(customer=customer)
        if since := self.cleaned_data.get("since"):
            payments = payments.filter(submitted_at__gte=start_of(since, time_zone))
        if until := self.cleaned_data.get("until"):
            payments = payments.filter(submitted_at__lt=start_of(until + timedelta(days=1), time_zone))
        return self._narrow_further(payments, time_zone)

    def _by_state(self, payments: QuerySet[Payment]) -> QuerySet[Payment]:
        state = self.given("state")
        if state == PaymentStanding.SUCCEEDED and self.given("settled_since"):
            # The dashboard's figure of what was collected counts what is left of payments given back in part.
            return payments.filter(state=PaymentState.SUCCEEDED)
        return payments.filter(standing_is(state)) if state else payments

    def _narrow_further(self, payments: QuerySet[Payment], time_zone: str) -> QuerySet[Payment]:
        if currency := self.given("currency"):
            payments = payments.filter(currency=currency)
        if settled_since := self.cleaned_data.get("settled_since"):
            payments = payments.filter(settled_at__gte=start_of(settled_since, time_zone))
        if settled_until := self.cleaned_data.get("settled_until"):
            payments = payments.filter(settled_at__lt=start_of(settled_until + timedelta(days=1), time_zone))
        if returned_since := self.cleaned_data.get("returned_since"):
            payments = payments.filter(returned_at__gte=start_of(returned_since, time_zone))
        return payments


def _of_kind(kind: str) -> Q:
    if kind in KIND_LABELS:
        return Q(method__kind=kind)
    return Q(method__isnull=True) if kind == "offline" else Q(offline_kind=kind)


class MailFilter(Filter):
    """Filters of the outbox."""

    search = search_field("Address, customer or subject")
    state = forms.ChoiceField(
        label="Status", required=False, choices=[ALL, ("troubled", "Failed or bounced"), *MailState.choices]
    )
    # What the figures of the dashboard lead to.
    sent_since = _hidden_day()
    queued_since = _hidden_day()

    def narrow(self, mails: MailQuerySet, *, time_zone: str) -> QuerySet[Mail]:
        """Keep the mails that fit."""
        if words := self.given("search"):
            fits = Q(to_address__icontains=words) | Q(subject__icontains=words)
            mails = mails.filter(fits | Q(customer__company_name__icontains=words))
        if sent_since := self.cleaned_data.get("sent_since"):
            mails = mails.filter(sent_at__gte=start_of(sent_since, time_zone))
        if queued_since := self.cleaned_data.get("queued_since"):
            mails = mails.filter(queued_at__gte=start_of(queued_since, time_zone))
        state = self.given("state")
        if state == "troubled":
            return mails.troubled()
        return mails.filter(state=state) if state else mails


def start_of(day: date, time_zone: str) -> datetime:
    """Return the moment at which a day begins in a time zone."""
    return datetime.combine(day, time.min, ZoneInfo(time_zone))


class ReminderForm(forms.Form):
    """Whom to remind, and with which text."""

    template = forms.ModelChoiceField(ReminderTemplate.objects.none(), empty_label=None)
    min_days_overdue = forms.IntegerField(label="Overdue by at least (days)", min_value=1, max_value=3650, initial=1)

    def __init__(self, sent_in: QueryDict | None, *, merchant: Merchant) -> None:
        super().__init__(sent_in)
        templates = ReminderTemplate.objects.filter(merchant=merchant).order_by("-is_default", "name")
        self.fields["template"].queryset = templates  # type: ignore[attr-defined]
        self.fields["template"].initial = templates.first()

    def least_days(self) -> int:
        """Return the valid number of days, else one."""
        self.is_valid()
        return int(getattr(self, "cleaned_data", {}).get("min_days_overdue") or 1)
