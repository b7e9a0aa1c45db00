"""Django's view of the package."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """Registers who writes the mail to an invited colleague."""

    name = "payorcrm.staff"

    def ready(self) -> None:
        from payorcrm.staff import mails  # noqa: F401
