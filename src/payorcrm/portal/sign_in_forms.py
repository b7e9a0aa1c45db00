"""What people type on the way into the portal. Nothing here says whether an address or an invoice exists."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from payorcrm.core.models import User


class EntranceForm(LoginForm):
    """E-mail and password. The page has its own link for who forgot the password, and labels instead of hints."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class EmailForm(forms.Form):
    """Whose password was forgotten."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )


class RegistrationForm(forms.Form):
    """An invoice of the customer, and the address that the merchant has on file for them."""

    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("The address that your invoices and reminders are sent to."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    invoice_number = forms.CharField(
        label=_("Number of one of your invoices"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class NewPasswordForm(forms.Form):
    """A password of the user's own, typed twice."""

    password1 = forms.CharField(
        label=_("New password"),
        help_text=_("At least 10 characters. A few words are easier to keep than symbols."),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("New password again"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password1(self) -> str:
        """Refuse what is guessed easily."""
        password: str = self.cleaned_data["password1"]
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        """Refuse two different ones."""
        typed = super().clean() or {}
        if typed.get("password1") and typed.get("password2") and typed["password1"] != typed["password2"]:
            self.add_error("password2", _("The two passwords are not the same."))
        return typed


class PasskeyForm(AddWebAuthnForm):
    """A new passkey; with its box ticked it signs in alone."""

    name = forms.CharField(label=_("Name"), required=False, max_length=60)
    passwordless = forms.BooleanField(
        label=_("Sign in with this passkey alone, without a password"),
        initial=True,
        required=False,
    )
