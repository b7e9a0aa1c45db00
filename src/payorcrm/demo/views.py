"""The mailbox: a list of all that was sent, and one message as a mail client shows it. Reading changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from payorcrm.core.clock import now
from payorcrm.demo.access import message_from_url
from payorcrm.demo.business import TIME_ZONE
from payorcrm.demo.read_message import Message, for_frame, read_message, sender_name
from payorcrm.mail.models import MailboxMessage
from payorcrm.ui.context import Brand
from payorcrm.ui.paging import Page, page_of

PARTS = {"html": "Message", "text": "Text", "headers": "Headers"}
WIDTHS = {"desktop": ("Wide", "computer-desktop"), "phone": ("Phone", "device-phone-mobile")}
SHADES = {"own": ("As set", "swatch"), "light": ("Light", "sun"), "dark": ("Dark", "moon")}
HEAD_BYTES = 4000
MOST_ADDRESSES = 200

# What a frame may do: follow a link that a person presses, and nothing else. The frame's own policy says it again,
# for the case that somebody opens its address by itself.
MAY = ["allow-popups", "allow-popups-to-escape-sandbox", "allow-top-navigation-by-user-activation"]
FRAME_POLICY = {
    "default-src": [NONE],
    "img-src": [SELF, settings.PUBLIC_URL, "data:"],
    "style-src": [UNSAFE_INLINE],
    "form-action": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": MAY,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One message in the list."""

    id: UUID
    sender: str
    recipient: str
    subject: str
    received_at: datetime
    when: str
    is_fresh: bool


@require_safe
@csp_update({"frame-src": [SELF]})
def mailbox(request: HttpRequest) -> HttpResponse:
    """Show the list; answer a page that looks for news with the list alone, or with nothing when there is none."""
    context = _list(request)
    if not request.htmx:  # type: ignore[attr-defined]
        return _page(request, context)
    if context["newest"] == request.GET.get("since"):
        return HttpResponse(status=204)
    return render(request, "demo/message_list.html", context)


@require_safe
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Show one message beside the list."""
    row = message_from_url(message_id)
    read = read_message(bytes(row.raw))
    part = _chosen(request, "part", _parts_of(read))
    shown = {
        "row": row,
        "message": read,
        "part": part,
        "parts": _parts_of(read),
        "width": _chosen(request, "width", WIDTHS),
        "widths": WIDTHS,
        "shade": _chosen(request, "shade", SHADES),
        "shades": SHADES,
        "sandbox": " ".join(MAY),
        "open_id": str(row.id),
    }
    return _page(request, _list(request) | shown | {"open_id": str(row.id)})


@require_safe
@xframe_options_sameorigin
@csp(FRAME_POLICY)  # type: ignore[arg-type]
def message_html(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Answer with the HTML part as it is, under a policy that lets it do nothing but be read."""
    html = read_message(bytes(message_from_url(message_id).raw)).html
    return HttpResponse(for_frame(html), headers={"Referrer-Policy": "no-referrer", "Cache-Control": "private"})


@require_safe
def message_raw(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Answer with the message as it was sent, as a file."""
    row = message_from_url(message_id)
    file_name = f'attachment; filename="message-{row.id}.eml"'
    return HttpResponse(bytes(row.raw), content_type="message/rfc822", headers={"Content-Disposition": file_name})


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    request.brand = Brand(name="Demo mailbox", time_zone=TIME_ZONE)  # type: ignore[attr-defined]
    addresses = MailboxMessage.objects.order_by("to_address").values_list("to_address", flat=True).distinct()
    return render(request, "demo/mailbox.html", context | {"addresses": addresses[:MOST_ADDRESSES]})


def _list(request: HttpRequest) -> dict[str, Any]:
    """Return the part of the list that the address asks for."""
    address = request.GET.get("to", "").replace("\0", "")
    rows = MailboxMessage.objects.annotate(head=Substr("raw", 1, HEAD_BYTES)).defer("raw")
    chosen = rows.filter(to_address=address) if address else rows
    page = page_of(chosen, by=("-received_at", "-id"), query=_only(request.GET, "to", "after", "before"))
    lines = [_line(row, request.GET.get("since", "")) for row in page.rows]
    return {
        "page": Page(rows=lines, next=page.next, previous=page.previous),  # type: ignore[type-var]
        "address": address,
        "newest": str(lines[0].id) if lines else "none",
        "is_first_page": not page.previous,
        "open_id": request.GET.get("open", ""),
    }


def _line(row: Any, since: str) -> Line:
    return Line(
        id=row.id,
        sender=sender_name(bytes(row.head)),
        recipient=row.to_address,
        subject=row.subject,
        received_at=row.received_at,
        when=_when(row.received_at),
        is_fresh=bool(since) and (since == "none" or str(row.id) > since),
    )


def _when(moment: datetime) -> str:
    """Write the time of today's messages, the day of older ones."""
    zone = ZoneInfo(TIME_ZONE)
    is_today = moment.astimezone(zone).date() == now().astimezone(zone).date()
    return format_datetime(moment, "h:mm a" if is_today else "MMM d", tzinfo=zone, locale="en_US")


def _parts_of(message: Message) -> dict[str, str]:
    missing = {name for name, content in (("html", message.html), ("text", message.text)) if not content}
    return {name: label for name, label in PARTS.items() if name not in missing}


def _chosen(request: HttpRequest, name: str, choices: dict[str, Any]) -> str:
    asked = request.GET.get(name, "")
    return asked if asked in choices else next(iter(choices))


def _only(query: QueryDict, *names: str) -> QueryDict:
    kept = QueryDict(mutable=True)
    for name in names:
        if query.get(name):
            kept[name] = str(query[name])
    return kept
