"""A forgotten password: the page takes any address alike, and a job finds out whose it is and answers by mail.

To write the mail in the request takes longer than to write none, which tells who has a sign-in here.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ResetPasswordForm, default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import get_language

from payorcrm.core.jobs import enqueue_named
from payorcrm.core.language import speaking
from payorcrm.core.models import User


class ForgottenPasswordForm(ResetPasswordForm):
    """Takes the question; of the setting `ACCOUNT_FORMS`."""

    def clean_email(self) -> str:
        """Look nothing up."""
        email: str = self.cleaned_data["email"]
        return email

    def save(self, request: HttpRequest, **_: Any) -> str:
        """Let a job answer."""
        email: str = self.cleaned_data["email"]
        task = "payorcrm.merchants.jobs.answer_forgotten_password"
        enqueue_named(task, email=email, language=get_language() or "")
        return email


def answer_forgotten_password(*, email: str, language: str) -> None:
    """Mail the way to a new password to whoever has the address, in the language of the page; else do nothing."""
    with speaking(language):
        for user in User.objects.filter(email__iexact=email, is_active=True):
            _mail_link(user)


def _mail_link(user: User) -> None:
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    shown = {"user": user, "password_reset_url": get_adapter().get_reset_password_from_key_url(key)}
    subject = render_to_string("account/email/password_reset_key_subject.txt", shown)
    message = render_to_string("account/email/password_reset_key_message.txt", shown)
    send_mail(subject.strip(), message.strip(), None, [user.email])
