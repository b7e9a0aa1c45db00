"""Adding and removing a passkey; afterwards all ways to sign in are shown again."""

from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.urls import reverse, reverse_lazy

from payorcrm.portal.sign_in_forms import PasskeyForm


class AddPasskey(AddWebAuthnView):
    """Shows no recovery codes: those stand in for an authenticator app, and a password still works beside a passkey."""

    form_class = PasskeyForm

    def get_success_url(self) -> str:
        return reverse("mfa_index")


class RemovePasskey(RemoveWebAuthnView):
    """Asks once more before a passkey is gone."""

    success_url = reverse_lazy("mfa_index")


add_passkey = AddPasskey.as_view()
remove_passkey = RemovePasskey.as_view()
