"""Who the merchant's mails come from, and its own mail server."""

from typing import Any

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from payorcrm.backoffice.access import NotYourRole, for_owners, for_staff
from payorcrm.backoffice.audit import writing_down
from payorcrm.backoffice.settings_sections import render_section
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.mail.check_server import ServerDoesNotWork
from payorcrm.mail.keep_sender import keep_sender, sender_of
from payorcrm.mail.limit import allowance_of
from payorcrm.mail.message import ascii_address
from payorcrm.mail.models import MailSender
from payorcrm.mail.own_server import waiting_of
from payorcrm.merchants.models import Staff
from payorcrm.staff.try_sender import latest_trial, send_trial

OWN = ("from_address", "host", "port", "security", "user", "password")
# What an own server cannot do without: not optional, though nobody has to fill it in who has none.
NEEDED = ("from_address", "host")
# Whoever changes one of these could read the password that is kept, so it has to be typed again.
LEAD_ELSEWHERE = {"host", "port", "user", "security"}


class SenderForm(forms.ModelForm):
    """Name and address of the sender, and how its own server is reached."""

    password = forms.CharField(
        required=False,
        max_length=500,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="If your server asks for one. Kept encrypted and never shown, so the box is empty after each try; "
        "leave it empty to keep the one that is saved.",
    )

    class Meta:
        model = MailSender
        fields = ("from_name", "uses_own_server", "from_address", "host", "port", "security", "user")
        labels = {
            "from_name": "Name of the sender",
            "uses_own_server": "Send over our own mail server",
            "from_address": "Address of the sender",
            "host": "Server",
            "user": "User name",
            "security": "Encrypt the line",
        }
        help_texts = {
            "from_name": "Your customers see it before the subject. Without one, it is the name of your company.",
            "uses_own_server": "It is tried before anything is saved.",
            "from_address": "Needed with your own server, which must let you send from it; not used without.",
            "host": "Needed with your own server. Such as smtp.example.com.",
            "port": "Mostly 587; 465 for servers that speak TLS from the first byte.",
            "user": "If your server asks for one.",
            "security": "A password never goes over a line that is not encrypted.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in NEEDED:
            self.fields[name].is_needed_at_times = True  # type: ignore[attr-defined]

    def clean_from_address(self) -> str:
        """Refuse an address that many mail servers do not understand."""
        address: str = self.cleaned_data["from_address"]
        if address:
            try:
                ascii_address(address)
            except Refused as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return address

    def clean(self) -> dict[str, Any]:
        """Ask for what an own server needs, and for the password where it would go elsewhere."""
        typed = super().clean() or {}
        if typed.get("uses_own_server"):
            for name in NEEDED:
                if not typed.get(name) and name not in self.errors:
                    self.add_error(name, "Your own server needs this.")
        kept = self.instance.password
        if kept and not typed.get("password") and typed.get("user") and LEAD_ELSEWHERE & set(self.changed_data):
            self.add_error("password", "Type the password again: it would go to another place than before.")
        return typed

    def save(self, commit: bool = True) -> MailSender:  # noqa: FBT001 (Django's signature)
        """Take the new password over, or keep the one that is there as long as there is a user."""
        sender = self.instance
        sender.password = self.cleaned_data["password"] or sender.password if sender.user else None
        return super().save(commit)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def sender(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show who mails come from; an owner's POST tries the server and keeps it."""
    if request.method == "POST" and not staff.can_change_settings():
        raise NotYourRole
    kept = sender_of(staff.merchant)
    form = SenderForm(request.POST or None, instance=sender_of(staff.merchant))
    if request.method == "POST" and form.is_valid() and _is_kept(request, form):
        messages.success(request, "The mail sender is saved.")
        return redirect("backoffice:sender", merchant_slug=staff.merchant.slug)
    shown = {
        "form": form,
        "own": [form[name] for name in OWN],
        "sender": kept,
        "allowance": allowance_of(staff.merchant, now=clock.now()),
        "waiting": waiting_of(staff.merchant),
        "trial": latest_trial(staff.merchant),
    }
    return render_section(request, "sender", "backoffice/sender_page.html", shown)


def _is_kept(request: HttpRequest, form: SenderForm) -> bool:
    # While a server is tried, the request waits for it; many at once would keep everybody else's waiting.
    merchant_id = str(form.instance.merchant_id)
    is_tried = form.cleaned_data["uses_own_server"]
    if is_tried and not ratelimit.consume(request, action="try_sender", key=merchant_id):
        form.add_error("host", "Nothing was saved: a server was tried here often just now. Please wait a minute.")
        return False
    try:
        keep_sender(form.save(commit=False), also=writing_down(request), now=clock.now())
    except ServerDoesNotWork as refusal:
        form.add_error(refusal.field, f"Nothing was saved. {refusal}")
        return False
    return True


@require_POST
@for_owners
def trial(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Send a trial mail to oneself."""
    send_trial(merchant=staff.merchant, to=staff.user, now=clock.now())
    messages.success(request, f"A trial mail to {staff.user.email} is on its way. This page says what becomes of it.")
    return redirect("backoffice:sender", merchant_slug=staff.merchant.slug)
