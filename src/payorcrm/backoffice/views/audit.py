"""The audit log: who of the staff did what, with what was before and after; as a list and as a file."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import audit_entry_of, for_staff
from payorcrm.backoffice.forms import ALL, Filter, day_field, start_of
from payorcrm.backoffice.settings_sections import render_section
from payorcrm.core import clock
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.staff.models import AuditEntry, AuditKind
from payorcrm.ui.exports import table_response
from payorcrm.ui.paging import page_of

NEWEST_FIRST = ("-happened_at", "-id")


class AuditFilter(Filter):
    """Filters of the audit log and of its export."""

    person = forms.ChoiceField(label="Person", required=False)
    kind = forms.ChoiceField(label="About", required=False, choices=[ALL, *AuditKind.choices])
    since = day_field("From")
    until = day_field("Until")

    def __init__(self, sent_in: QueryDict, *, merchant: Merchant) -> None:
        super().__init__(sent_in)
        self.merchant = merchant
        self.fields["person"].choices = [("", "Everybody"), *_people_of(merchant)]  # type: ignore[attr-defined]

    def entries(self) -> QuerySet[AuditEntry]:
        """Return the entries that fit; days are the merchant's."""
        zone = self.merchant.time_zone
        entries = AuditEntry.objects.filter(merchant=self.merchant)
        if person := self.given("person"):
            entries = entries.filter(actor_id=person)
        if kind := self.given("kind"):
            entries = entries.filter(kind=kind)
        if since := self.cleaned_data.get("since"):
            entries = entries.filter(happened_at__gte=start_of(since, zone))
        if until := self.cleaned_data.get("until"):
            entries = entries.filter(happened_at__lt=start_of(until + timedelta(days=1), zone))
        return entries


def _people_of(merchant: Merchant) -> list[tuple[str, str]]:
    """Return everybody who did something, also those who are gone, by their latest name."""
    entries = AuditEntry.objects.filter(merchant=merchant)
    latest = entries.order_by("actor_id", "-happened_at").distinct("actor_id")
    people = [(str(person), f"{name}") for person, name in latest.values_list("actor_id", "actor_name")]
    return sorted(people, key=lambda person: person[1].lower())


@require_safe
@for_staff
def audit(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List what the staff did, the latest first."""
    filters = AuditFilter(request.GET, merchant=staff.merchant)
    page = page_of(filters.entries(), by=NEWEST_FIRST, query=request.GET)
    shown = {"filters": filters, "page": page, "query": request.GET.urlencode()}
    return render_section(request, "audit", "backoffice/audit_list.html", shown)


@require_safe
@for_staff
def entry(request: HttpRequest, staff: Staff, entry_id: UUID) -> HttpResponse:
    """List all that one entry says, row by row."""
    found = audit_entry_of(staff, entry_id)
    page = page_of(found.lines.all(), by=("id",), query=request.GET, size=100)
    return render_section(request, "audit", "backoffice/audit_entry.html", {"entry": found, "page": page})


@require_safe
@for_staff
def export(request: HttpRequest, staff: Staff) -> HttpResponseBase:
    """Send the entries that fit as a file, a row for each value that changed."""
    entries = AuditFilter(request.GET, merchant=staff.merchant).entries().order_by(*NEWEST_FIRST)
    rows = _rows(entries, staff.merchant)
    head = ["Time", "Person", "E-mail", "Address", "About", "What", "Of", "Field", "Before", "After"]
    return table_response(f"{staff.merchant.slug}-audit-log", head, rows, query=request.GET)


def _rows(entries: QuerySet[AuditEntry], merchant: Merchant) -> Iterator[list[object]]:
    zone = ZoneInfo(merchant.time_zone)
    for entry in entries.iterator(chunk_size=500):
        what: list[object] = [
            clock.wall_time(zone, entry.happened_at),
            entry.actor_name,
            entry.actor_email,
            entry.address or "",
            entry.get_kind_display(),
            entry.says,
            entry.about,
        ]
        yield from ([*what, *change] for change in _changes(entry))


def _changes(entry: AuditEntry) -> Iterable[Sequence[str]]:
    if entry.more_count:
        return entry.lines.order_by("id").values_list("what", "before", "after").iterator(chunk_size=2000)
    return entry.changes or [["", "", ""]]
