"""What an owner may change of the merchant, one form for each section of the settings."""

from functools import cache
from typing import Any, ClassVar
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from payorcrm.gateways.base import Credentials, MethodKind
from payorcrm.gateways.registry import gateway_class
from payorcrm.merchants.logo import LOGO_TYPE, MAX_BYTES, NotALogo, clean_logo
from payorcrm.merchants.models import Merchant
from payorcrm.merchants.queries import able_accounts, account_for_new


def zone_choices() -> list[tuple[str, str]]:
    """Return the time zones that a place is named by."""
    places = (zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "System")))
    return [(zone, zone.replace("_", " ")) for zone in ["UTC", *sorted(places)]]


@cache
def currency_choices() -> list[tuple[str, str]]:
    """Return the currencies that are money somewhere today, as “USD – US Dollar”."""
    places = get_global("territory_currencies")
    codes = {code for place in places for code in get_territory_currencies(place)}
    names = Locale("en").currencies
    return [(code, f"{code} – {names.get(code, code)}") for code in sorted(codes)]


class SectionForm(forms.ModelForm):
    """One section's part of the merchant. Saving writes that part alone: another tab may have saved another one."""

    # The columns that a form writes.
    COLUMNS: ClassVar[tuple[str, ...]] = ()

    def save(self, commit: bool = True) -> Merchant:  # noqa: FBT001 (Django's signature)
        """Keep what this section shows."""
        merchant: Merchant = super().save(commit=False)
        if commit:
            merchant.save(update_fields=self.COLUMNS)
        return merchant


class CompanyForm(SectionForm):
    """Who the merchant is."""

    COLUMNS = ("name", "address", "phone", "reply_to", "time_zone", "currency", "language")

    time_zone = forms.ChoiceField(
        choices=zone_choices, help_text="Decides when an invoice becomes overdue, and at which hour reminders go out."
    )
    currency = forms.ChoiceField(
        choices=currency_choices,
        help_text="Of invoices that name no other. Invoices that are here already keep theirs.",
    )
    language = forms.ChoiceField(
        label="Language of your customers",
        choices=settings.LANGUAGES,
        help_text="Mails are written in it to customers who have chosen none themselves.",
    )

    class Meta:
        model = Merchant
        fields = ("name", "address", "phone", "reply_to", "time_zone", "currency", "language")
        labels = {"reply_to": "Answers go to"}
        help_texts = {
            "address": "It stands below your mails and on invoices and receipts.",
            "reply_to": "Customers who answer a mail of yours write to this address.",
        }
        widgets = {"address": forms.Textarea(attrs={"rows": 3})}


class BrandingForm(SectionForm):
    """How the merchant looks to its customers."""

    COLUMNS = ("logo", "logo_type", "accent_color")
    new_logo = forms.FileField(
        label="Logo",
        required=False,
        help_text="PNG, JPEG or WebP, at most 2 MB. It stands on your mails and payment pages.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    remove_logo = forms.BooleanField(label="Remove the logo", required=False)

    class Meta:
        model = Merchant
        fields = ("accent_color",)
        labels = {"accent_color": "Accent colour"}
        help_texts = {
            "accent_color": "Buttons and links use it, made a little darker or lighter where it would be hard to read."
        }
        widgets = {"accent_color": forms.TextInput(attrs={"type": "color"})}

    field_order = ("new_logo", "remove_logo", "accent_color")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not self.instance.logo:
            del self.fields["remove_logo"]

    def clean_new_logo(self) -> bytes | None:
        """Turn an uploaded picture into the one that is kept."""
        upload: UploadedFile | None = self.cleaned_data["new_logo"]
        if upload is None:
            return None
        if (upload.size or 0) > MAX_BYTES:  # before it is in memory
            raise forms.ValidationError("The picture is larger than 2 MB. Please choose a smaller one.")
        try:
            return clean_logo(upload.read())
        except NotALogo as error:
            raise forms.ValidationError(str(error)) from error

    def save(self, commit: bool = True) -> Merchant:  # noqa: FBT001 (Django's signature)
        """Keep the colour, and the logo if there is a new one."""
        if self.cleaned_data.get("remove_logo"):
            self.instance.logo, self.instance.logo_type = None, ""
        if new_logo := self.cleaned_data["new_logo"]:
            self.instance.logo, self.instance.logo_type = new_logo, LOGO_TYPE
        return super().save(commit)


class PortalForm(SectionForm):
    """What customers can do in the portal."""

    COLUMNS = ("invites_new_customers", "allows_part_payments", "confirmation_hours")

    class Meta:
        model = Merchant
        fields = ("invites_new_customers", "allows_part_payments", "confirmation_hours")
        labels = {
            "confirmation_hours": "Confirmations are valid for (hours)",
            "invites_new_customers": "New customers are invited to the portal by themselves",
            "allows_part_payments": "Customers may pay a part of an invoice",
        }
        help_texts = {
            "confirmation_hours": "How long a customer can confirm a payment from the second mail: 1 to 168.",
            "invites_new_customers": "After an import, customers who are new get a mail with a password.",
            "allows_part_payments": "In the portal; the payment buttons of mails always pay in full.",
        }


class NewMethodsForm(forms.Form):
    """Which of the connected processors takes new cards, and which new bank accounts."""

    NAMES: ClassVar[dict[str, MethodKind]] = {"cards": MethodKind.CARD, "accounts": MethodKind.BANK_ACCOUNT}

    cards = forms.ChoiceField(label="New cards go to", required=False)
    accounts = forms.ChoiceField(label="New bank accounts go to", required=False)

    def __init__(self, sent_in: Any, *, merchant: Merchant) -> None:
        now = {}
        able = {name: able_accounts(merchant.id, kind) for name, kind in self.NAMES.items()}
        for name, kind in self.NAMES.items():
            if able[name]:
                now[name] = account_for_new(merchant.id, kind).gateway
        super().__init__(sent_in, initial=now)
        for name, accounts in able.items():
            choices = [(each.gateway, gateway_class(each.gateway).label) for each in accounts]
            self.fields[name].choices = choices  # type: ignore[attr-defined]
            if not choices:
                del self.fields[name]
        self.has_a_choice = any(len(accounts) > 1 for accounts in able.values())

    def chosen(self) -> list[tuple[MethodKind, str]]:
        """Return what a valid form names."""
        return [(kind, self.cleaned_data[name]) for name, kind in self.NAMES.items() if self.cleaned_data.get(name)]


class KeysForm(forms.Form):
    """A merchant's keys at a payment processor, as its own pages show them."""

    public_key = forms.CharField(
        label="Public key", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    secret_key = forms.CharField(
        label="Secret key",
        max_length=500,
        help_text="Kept encrypted, and never shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    webhook_secret = forms.CharField(
        label="Signing secret of webhooks",
        max_length=500,
        help_text="Kept encrypted, too. It shows with the first event that arrives whether it is right.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def credentials(self) -> Credentials:
        """Return what a valid form holds."""
        typed = self.cleaned_data
        return Credentials(typed["public_key"], typed["secret_key"], typed["webhook_secret"])
