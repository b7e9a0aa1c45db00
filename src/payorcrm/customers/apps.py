"""Customers as a Django application."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Registers who writes the mails about access to the portal."""

    name = "payorcrm.customers"

    def ready(self) -> None:
        from payorcrm.customers import direct_mails, mails, mention  # noqa: F401
