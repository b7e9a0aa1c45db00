"""Every POST of the staff that did something becomes an entry of the audit log, whatever view it was."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.messages import get_messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from payorcrm.backoffice.audit_labels import ACTIONS, CHANGES_NOTHING, SUBJECTS, Action, Ids
from payorcrm.backoffice.facts import Fact, changes_between, facts_of
from payorcrm.core import clock
from payorcrm.customers.models import Contact
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.payments.write_down import Sums, changes_of_sums
from payorcrm.reminders.models import Hold
from payorcrm.staff.models import AuditKind
from payorcrm.staff.record_change import Change, record_change

MOST_NAMED = 3


class Entry:
    """The entry that a POST will become: knows what was before, and is written in the transaction of the change."""

    def __init__(self, request: HttpRequest, action: Action, staff: Staff, ids: Ids) -> None:
        self.request, self.action, self.staff, self.ids = request, action, staff, ids
        self.happened_at = clock.now()  # before whatever the action goes on to write down itself
        self.about = _about(request, action, staff.merchant, ids)
        self.customer_id = _customer_of(staff.merchant, ids)
        self.facts, self.sums = self._read()
        self.of_many: list[Change] = []
        self.is_new = True

    def _read(self) -> tuple[dict[str, Fact], Sums]:
        merchant, action = self.staff.merchant, self.action
        facts = facts_of(action.rows(merchant, self.ids)) if action.rows else {}
        return facts, action.sums(merchant, self.ids) if action.sums else {}

    def write(self) -> None:
        """Say what is otherwise than before."""
        facts, sums = self._read()
        record_change(
            merchant=self.staff.merchant,
            actor=self.staff.user,
            kind=self.action.kind,
            says=self.action.says,
            about=self.about,
            changes=[*changes_between(self.facts, facts), *changes_of_sums(self.sums, sums), *self.of_many],
            address=self.request.META.get("REMOTE_ADDR"),
            customer_id=self.customer_id,
            now=self.happened_at,
        )


def answer_and_record(
    view: Callable[..., HttpResponseBase], request: HttpRequest, staff: Staff, ids: Ids
) -> HttpResponseBase:
    """Answer a request; what a POST did is written down in one transaction with it."""
    name = request.resolver_match.url_name if request.resolver_match else None
    if request.method != "POST" or name is None or name in CHANGES_NOTHING:
        return view(request, staff, **ids)
    # Nothing escapes for want of words; a test asks for them.
    action = ACTIONS.get(name) or Action(AuditKind.SETTINGS, name.replace("_", " ").capitalize())
    if action.is_apart:
        request.entry = Entry(request, action, staff, ids)  # type: ignore[attr-defined]
        return view(request, staff, **ids)
    with transaction.atomic():
        entry = request.entry = Entry(request, action, staff, ids)  # type: ignore[attr-defined]
        response = view(request, staff, **ids)
        if entry.is_new and _did_something(request, response):
            entry.write()
    return response


def writing_down(request: HttpRequest) -> Callable[[], None]:
    """Return what writes the entry of a POST that calls the network, for the action to call in its own transaction."""
    entry: Entry = request.entry  # type: ignore[attr-defined]
    return entry.write


def note_changes(request: HttpRequest, changes: list[Change]) -> None:
    """Add to the entry of a POST what became of each of the many rows that it was about."""
    entry: Entry = request.entry  # type: ignore[attr-defined]
    entry.of_many = changes


def nothing_new(request: HttpRequest) -> None:
    """Say that a POST did what another one had done before it, or nothing yet: it becomes no entry."""
    entry: Entry = request.entry  # type: ignore[attr-defined]
    entry.is_new = False


def _did_something(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Tell a change, which leads on to a page, from a form that is shown again, or a page that only warns."""
    leads_on = 300 <= response.status_code < 400 or "HX-Redirect" in response or response.status_code == 204
    told = [message.level for message in get_messages(request)._queued_messages]  # type: ignore[union-attr]
    return leads_on and (not told or min(told) < messages.WARNING)


def _customer_of(merchant: Merchant, ids: Ids) -> UUID | None:
    """Return the customer whom an address is about, by itself or by something of theirs."""
    for name, rows in (("contact_id", Contact.objects), ("hold_id", Hold.objects)):
        if name in ids:
            return rows.filter(merchant=merchant, id=ids[name]).values_list("customer_id", flat=True).first()
    return ids.get("customer_id")


def _about(request: HttpRequest, action: Action, merchant: Merchant, ids: Ids) -> str:
    found = [SUBJECTS[name].words(row) for name in ids if (row := SUBJECTS[name].find(merchant, ids[name]))]
    quoted = request.POST.get(action.quotes, "").strip()
    return " · ".join([*found, *([quoted] if quoted else [])] or [_chosen(request, merchant)])


def _chosen(request: HttpRequest, merchant: Merchant) -> str:
    """Name the customers or invoices that a form chose, or count them."""
    if "everything" in request.POST:
        return f"all {request.POST.get('count', '')[:9]} that a list showed"
    for name in ("customer", "invoice"):
        if ids := set(request.POST.getlist(name)):
            return _named(f"{name}_id", ids, merchant) if len(ids) <= MOST_NAMED else f"{len(ids)} {name}s"
    return ""


def _named(id_name: str, ids: set[str], merchant: Merchant) -> str:
    subject = SUBJECTS[id_name]
    try:
        found = [subject.find(merchant, UUID(text)) for text in sorted(ids)]
    except ValueError:
        return ""
    return ", ".join(subject.words(row) for row in found if row)
