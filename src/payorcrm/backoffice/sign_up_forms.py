"""What somebody types who signs up a business."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.http import QueryDict

from payorcrm.backoffice.settings_forms import currency_choices, zone_choices
from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant
from payorcrm.merchants.open import MerchantDetails, free_slug
from payorcrm.sign_ups.guess_place import guess_currency, guess_zone

LONGEST_SLUG = 60


class BusinessForm(forms.Form):
    """The business alone, for somebody who has signed in."""

    business = forms.CharField(
        label="Name of your business",
        max_length=120,
        help_text="As your customers know it.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    slug = forms.SlugField(
        label="Address of your portal",
        max_length=LONGEST_SLUG,
        required=False,
        help_text="Small letters, digits and hyphens. Without one, it is made from the name.",
        error_messages={"invalid": "Use letters, digits and hyphens only."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    time_zone = forms.ChoiceField(choices=zone_choices, help_text="Where your days begin.")
    currency = forms.ChoiceField(choices=currency_choices, help_text="Of most of your invoices.")

    def clean_slug(self) -> str:
        """Propose an address, or refuse one that somebody has."""
        slug = str(self.cleaned_data["slug"]).lower()
        if not slug:
            return free_slug(self.cleaned_data.get("business", ""))
        if Merchant.objects.filter(slug=slug).exists():
            raise forms.ValidationError(f"Somebody has “{slug}” already. “{free_slug(slug)}” is free.")
        return slug

    def details(self) -> MerchantDetails:
        """Return what a valid form asks to open."""
        typed = self.cleaned_data
        return MerchantDetails(typed["business"], typed["slug"], typed["time_zone"], typed["currency"])

    def slug_words(self) -> str:
        """Say what the address is good for, where one is there already."""
        return words_on(str(self["slug"].value() or ""))

    def main_fields(self) -> list[forms.BoundField]:
        """Return what only the person knows."""
        return [self[name] for name in ("business", "name", "email", "password") if name in self.fields]

    def is_unfolded(self) -> bool:
        """Say whether something that was guessed has to be looked at."""
        return bool({"slug", "time_zone", "currency"} & set(self.errors))


class SignUpForm(BusinessForm):
    """The business, and the person who signs in for it first."""

    name = forms.CharField(label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="Your e-mail address",
        max_length=254,
        help_text="We mail it a link that opens the account.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        help_text="At least 10 characters. A few words are easier to keep than symbols.",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a password that is guessed easily, from the person's own name, too."""
        typed = super().clean() or {}
        if "password" in typed:
            person = User(email=typed.get("email", ""), name=typed.get("name", ""))
            try:
                validate_password(typed["password"], person)
            except forms.ValidationError as refused:
                self.add_error("password", refused)
        return typed


class PasswordForm(forms.Form):
    """The password that was chosen, where the browser alone does not tell who it is."""

    password = forms.CharField(
        label="The password that you chose",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def first_guess(accept_language: str, business: str) -> dict[str, str]:
    """Return what an empty form begins with."""
    zone, slug = guess_zone(accept_language), free_slug(business) if business else ""
    return {"business": business, "slug": slug, "time_zone": zone, "currency": guess_currency(zone)}


def proposal(typed: QueryDict) -> dict[str, object]:
    """Return what follows from a name and a time zone, and what is to be said of the address."""
    business, slug = typed.get("business", "")[:120], typed.get("slug", "")[:LONGEST_SLUG].lower().replace("\0", "")
    slug = slug or (free_slug(business) if business.strip() else "")
    return {
        "slug": slug,
        "currency": guess_currency(typed.get("time_zone", "")),
        "words": words_on(slug),
        "is_taken": is_taken(slug),
    }


def is_taken(slug: str) -> bool:
    """Say whether a merchant has this address."""
    return bool(slug) and Merchant.objects.filter(slug=slug[:LONGEST_SLUG].lower()).exists()


def words_on(slug: str) -> str:
    """Say where customers would come in, or that somebody else's do."""
    if is_taken(slug):
        return f"Somebody has this address already. “{free_slug(slug)}” is free."
    return f"Your customers will come in at {settings.PUBLIC_URL}/c/{slug.lower()}/" if slug else ""
