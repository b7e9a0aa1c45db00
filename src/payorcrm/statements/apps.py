"""Statements as a Django application."""

from django.apps import AppConfig


class StatementsConfig(AppConfig):
    """Mails that tell customers all that they owe."""

    name = "payorcrm.statements"

    def ready(self) -> None:
        """Register who writes statements."""
        from payorcrm.statements import mails  # noqa: F401
