"""Reminders as a Django application."""

from django.apps import AppConfig


class RemindersConfig(AppConfig):
    """Mails about overdue invoices."""

    name = "payorcrm.reminders"

    def ready(self) -> None:
        """Register who writes reminders, who tells staff that a run waits, and what follows when mails come back."""
        from payorcrm.reminders import follow_mail_events, mails, send_test, tell_staff  # noqa: F401
