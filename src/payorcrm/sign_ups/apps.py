"""Django's view of the package."""

from django.apps import AppConfig


class SignUpsConfig(AppConfig):
    """Registers the composer of the mail that proves an address."""

    name = "payorcrm.sign_ups"

    def ready(self) -> None:
        from payorcrm.sign_ups import mails  # noqa: F401
