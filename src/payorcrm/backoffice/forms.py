"""What staff type in: filters of lists, the text of a template, the merchant's settings."""

from datetime import date, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.http import QueryDict

from payorcrm.gateways.base import MethodKind
from payorcrm.mail.models import Mail, MailQuerySet, MailState
from payorcrm.merchants.logo import LOGO_TYPE, NotALogo, clean_logo
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.models import KIND_LABELS
from payorcrm.payments.models import Payment, PaymentState
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

    search = search_field("Reference or customer")
    state = forms.ChoiceField(label="Status", required=False, choices=[ALL, *PaymentState.choices])
    kind = forms.ChoiceField(
        label="Method", required=False, choices=[ALL, *((kind.value, label) for kind, label in KIND_LABELS.items())]
    )
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
            payments = payments.filter(fits | Q(gateway_reference=words))
        if state := self.given("state"):
            payments = payments.filter(state=state)
        if kind := self.given("kind"):
            payments = payments.filter(method__kind=MethodKind(kind))
        if customer := self.cleaned_data.get("customer"):
            payments = payments.filter(customer=customer)
        if since := self.cleaned_data.get("since"):
            payments = payments.filter(submitted_at__gte=start_of(since, time_zone))
        if until := self.cleaned_data.get("until"):
            payments = payments.filter(submitted_at__lt=start_of(until + timedelta(days=1), time_zone))
        return self._narrow_further(payments, time_zone)

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


class TemplateForm(forms.Form):
    """The text of a reminder; `reminders` says whether its fields are known."""

    name = forms.CharField(max_length=100, help_text="Only you see it.")
    subject = forms.CharField(max_length=300)
    body = forms.CharField(
        max_length=50_000,
        label="Text",
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "true", "class": "code"}),
    )


def _zones() -> list[tuple[str, str]]:
    places = (zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "System")))
    return [(zone, zone.replace("_", " ")) for zone in ["UTC", *sorted(places)]]


class SettingsForm(forms.ModelForm):
    """What an owner may change of the merchant."""

    new_logo = forms.FileField(
        label="Logo",
        required=False,
        help_text="PNG, JPEG or WebP, at most 2 MB. It stands on your mails and payment pages.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    remove_logo = forms.BooleanField(label="Remove the logo", required=False)
    time_zone = forms.ChoiceField(choices=[], help_text="Decides when an invoice becomes overdue.")
    language = forms.ChoiceField(
        label="Language of your customers",
        choices=settings.LANGUAGES,
        help_text="Mails are written in it to customers who have chosen none themselves.",
    )

    class Meta:
        model = Merchant
        fields = [
            "name",
            "address",
            "phone",
            "reply_to",
            "time_zone",
            "language",
            "accent_color",
            "confirmation_hours",
            "invites_new_customers",
            "allows_part_payments",
        ]
        labels = {
            "reply_to": "Answers go to",
            "accent_color": "Accent colour",
            "confirmation_hours": "Confirmations are valid for (hours)",
            "invites_new_customers": "Invite new customers to the portal by themselves",
            "allows_part_payments": "Customers may pay a part of an invoice",
        }
        help_texts = {
            "reply_to": "Customers who answer a mail of yours write to this address.",
            "accent_color": "Buttons and links use it, made a little darker or lighter where it would be hard to read.",
            "confirmation_hours": "How long a customer can confirm a payment from the second mail: 1 to 168.",
            "invites_new_customers": "After an import, customers who are new get a mail with a password.",
            "allows_part_payments": "In the portal; the payment buttons of mails always pay in full.",
        }
        widgets = {
            "accent_color": forms.TextInput(attrs={"type": "color"}),
            "address": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["time_zone"].choices = _zones()  # type: ignore[attr-defined]
        if not self.instance.logo:
            del self.fields["remove_logo"]

    def clean_new_logo(self) -> bytes | None:
        """Turn an uploaded picture into the one that is kept."""
        upload: UploadedFile | None = self.cleaned_data["new_logo"]
        if upload is None:
            return None
        try:
            return clean_logo(upload.read())
        except NotALogo as error:
            raise forms.ValidationError(str(error)) from error

    def save(self, commit: bool = True) -> Merchant:  # noqa: FBT001 (Django's signature)
        """Keep the settings, and the logo if there is a new one."""
        if self.cleaned_data.get("remove_logo"):
            self.instance.logo, self.instance.logo_type = None, ""
        if new_logo := self.cleaned_data["new_logo"]:
            self.instance.logo, self.instance.logo_type = new_logo, LOGO_TYPE
        return super().save(commit)


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
