"""Sign-in as this product wants it: by e-mail and password, nobody registers themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class SignInAdapter(DefaultAccountAdapter):
    """The setting `ACCOUNT_ADAPTER`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: merchants invite their staff and their customers."""
        return False

    def format_email_subject(self, subject: str) -> str:
        """Leave the subject alone; allauth would put the host name in brackets before it."""
        return subject
