"""Django's view of the package."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """Registers who writes the mails to colleagues."""

    name = "payorcrm.staff"

    def ready(self) -> None:
        from payorcrm.staff import mails, try_sender  # noqa: F401
