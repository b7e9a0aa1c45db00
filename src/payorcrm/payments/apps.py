"""Django's view of the package."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Registers the composers of payment mails."""

    name = "payorcrm.payments"

    def ready(self) -> None:
        from payorcrm.payments import mails, refund_mails  # noqa: F401
