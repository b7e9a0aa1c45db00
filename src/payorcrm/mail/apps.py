"""The outbox as a Django application."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Mails that are composed when they are sent."""

    name = "payorcrm.mail"
