"""The sections of the settings, in the order in which they stand beside each page. A new one is one line here."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@dataclass(frozen=True, slots=True)
class SettingsSection:
    """One page of the settings; `name` is that of its address in `backoffice`."""

    name: str
    label: str
    icon: str

    @property
    def address(self) -> str:
        """The name that `{% url %}` knows the page by."""
        return f"backoffice:{self.name}"


SECTIONS = (
    SettingsSection("settings_company", "Company", "building-office"),
    SettingsSection("settings_branding", "Branding", "swatch"),
    SettingsSection("settings_payments", "Payments", "credit-card"),
    SettingsSection("settings_reminders", "Reminders", "bell-alert"),
    SettingsSection("settings_portal", "Portal", "users"),
    SettingsSection("sender", "Mail sender", "envelope"),
    SettingsSection("team", "Team", "user-group"),
    SettingsSection("audit", "Audit log", "clipboard-document-list"),
)


def render_section(
    request: HttpRequest, name: str, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render one section's page, which extends `backoffice/settings_base.html`."""
    current = next(each for each in SECTIONS if each.name == name)
    shown = {"section": "settings", "sections": SECTIONS, "current": current, **(context or {})}
    return render(request, template, shown, status=status)
