"""Sign-in as this product wants it: by e-mail and password, nobody registers themselves."""

from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


class SignInAdapter(DefaultAccountAdapter):
    """The setting `ACCOUNT_ADAPTER`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: merchants invite their staff and their customers."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Lead to the configured address, whatever host name and port the request came with."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return f"{settings.PUBLIC_URL}{path.replace('UID-KEY', quote(key))}"

    def format_email_subject(self, subject: str) -> str:
        """Leave the subject alone; allauth would put the host name in brackets before it."""
        return subject
