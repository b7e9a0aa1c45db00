"""The application `ui`."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Templates, styles and tags shared by every page."""

    name = "payorcrm.ui"
