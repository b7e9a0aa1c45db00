"""How the mails of the coming days would differ if a rule were switched, or were as somebody has written it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from payorcrm.backoffice.access import for_staff, kept_change_of, rule_of
from payorcrm.core import clock
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Staff
from payorcrm.reminders.foresee import DAYS
from payorcrm.reminders.keep_rehearsal import change_of, fingerprint_of, is_late, name_invoices, see_to
from payorcrm.reminders.models import Rule
from payorcrm.reminders.rehearsal_models import ChangeKind, KeptRehearsal, RehearsedChange, RehearsedMail
from payorcrm.reminders.switch_rules import switched
from payorcrm.reminders.work_out_rehearsal import NEW, newer_draft_of
from payorcrm.ui.paging import Page, page_of

_SHOWN_BESIDE_A_RULE = 50
_CHANGES_OF_A_PAGE = 100
_FEW = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One change as it is shown: the numbers of its first invoices, how many more, and the rules by name.

    `otherwise` says in which invoices two mails differ, or that only their text does.
    """

    change: RehearsedChange
    numbers: list[str]
    more: int
    rule_before: str
    rule_after: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A kept comparison and some of its changes; none while it is worked out, or if `newer` was asked for meanwhile."""

    kept: KeptRehearsal
    rows: list[Row]
    page: Page[RehearsedChange]
    newer: KeptRehearsal | None
    is_late: bool
    is_whole: bool = False  # all changes, page by page
    day_count: int = DAYS

    def change_count(self) -> int:
        """Count the mails that would change."""
        return sum(self.kept.counts[kind] for kind in ChangeKind.values)


def difference_of(kept: KeptRehearsal, query: QueryDict | None = None) -> Difference:
    """Return the first changes that a rehearsal has kept, or the page of all that a query asks for."""
    changes = RehearsedChange.objects.filter(rehearsal=kept).select_related("customer", "before", "after")
    size = _SHOWN_BESIDE_A_RULE if query is None else _CHANGES_OF_A_PAGE
    page = page_of(changes, by=("id",), query=query or QueryDict(), size=size)
    numbers = name_invoices([each.mail() for each in page.rows]) if page.rows else {}
    differ = _differing(page.rows)
    names = dict(Rule.objects.filter(merchant=kept.merchant_id).values_list("id", "name"))
    draft = kept.draft or {}
    names_after = names | {UUID(draft["id"]): draft["name"]}
    rows = []
    for each in page.rows:
        mail, before, after = each.mail(), each.before, each.after
        named = numbers.get(mail.id, [])
        rows.append(
            Row(
                each,
                named,
                len(mail.invoice_ids) - len(named),
                names.get(before.rule_id, "") if before else "",
                names_after.get(after.rule_id, "") if after else "",
                _otherwise(each, differ),
            )
        )
    newer, late = newer_draft_of(kept), is_late(kept, now=clock.now())
    return Difference(kept, rows, page, newer, late, is_whole=query is not None)


def _only_in(mail: RehearsedMail, other: RehearsedMail) -> list[UUID]:
    known = set(other.invoice_ids)
    return [each for each in mail.invoice_ids if each not in known][:_FEW]


def _differing(changes: Sequence[RehearsedChange]) -> dict[UUID, str]:
    """Return the numbers of the invoices that one of two mails is about and the other is not."""
    both = [(each.before, each.after) for each in changes if each.before and each.after]
    ids = [each for before, after in both for each in (*_only_in(before, after), *_only_in(after, before))]
    return dict(Invoice.objects.filter(id__in=ids).values_list("id", "number"))


def _otherwise(change: RehearsedChange, numbers: dict[UUID, str]) -> str:
    before, after = change.before, change.after
    if before is None or after is None:
        return ""
    gone, new = [
        ", ".join(sorted(numbers.get(each, "") for each in _only_in(*pair)))
        for pair in ((before, after), (after, before))
    ]
    parts = [f"no longer {gone}"] * bool(gone) + [f"now also {new}"] * bool(new)
    if not parts and change.kind == ChangeKind.WRITTEN and before.rule_id == after.rule_id:
        return "from another template"
    return "; ".join(parts)


def written_before(staff: Staff, rule: Rule, text: str) -> dict[str, Any] | None:
    """Return how a rule, stored or new, was written when a rehearsal was asked for, if that is kept still."""
    try:
        given = {"merchant": staff.merchant_id, "id": UUID(text), "draft__is_written": True}
    except ValueError:
        return None
    rule_id = NEW if rule._state.adding else rule.id
    return KeptRehearsal.objects.filter(**given, draft__id=str(rule_id)).values_list("draft", flat=True).first()


@require_safe
@for_staff
def switching(request: HttpRequest, staff: Staff, rule_id: UUID) -> HttpResponse:
    """Show what switching a rule would change in the coming days."""
    subject, now = rule_of(staff, rule_id), clock.now()
    kept = change_of(switched(subject, now=now), now=now)
    return _page(request, staff, difference_of(kept), is_old=False)


@require_safe
@for_staff
def change(request: HttpRequest, staff: Staff, rehearsal_id: UUID) -> HttpResponse:
    """Show all that a change of a rule would change, page by page; to a page that waits for it, the first part."""
    now, kept = clock.now(), kept_change_of(staff, rehearsal_id)
    if kept is None:
        return _gone(request)
    kept = see_to(kept, now=now)
    if request.htmx:  # type: ignore[attr-defined]
        difference = difference_of(kept)
        is_shown = difference.is_late == ("late" in request.GET) and not difference.newer
        if kept.worked_out_at is None and is_shown:
            return HttpResponse(status=204)
        return render(request, "backoffice/rule_difference.html", {"difference": difference})
    base = kept.compared_with
    assert base is not None
    is_old = base.fingerprint != fingerprint_of(staff.merchant, now)
    return _page(request, staff, difference_of(kept, request.GET), is_old=is_old)


def _gone(request: HttpRequest) -> HttpResponse:
    """Say that what an address names is thrown away, or never was this merchant's: both look alike."""
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(request.path)
    return render(request, "backoffice/rule_change_gone.html", {"section": "reminders"}, status=404)


def _page(request: HttpRequest, staff: Staff, difference: Difference, *, is_old: bool) -> HttpResponse:
    draft: dict[str, Any] = difference.kept.draft or {}
    rule = Rule.objects.filter(merchant=staff.merchant, id=draft["id"], removed_at__isnull=True).first()
    slug, is_new = staff.merchant.slug, UUID(draft["id"]) == NEW
    rule_url = reverse("backoffice:rule", args=[slug, rule.id]) if rule else ""
    context = {
        "section": "reminders",
        "draft": draft,
        "difference": difference,
        "rule": rule,
        "rule_url": reverse("backoffice:rule_new", args=[slug]) if is_new and staff.can_change() else rule_url,
        "can_switch": staff.can_change() and rule and rule.is_active == draft["was_active"],
        "is_old": is_old,
    }
    return render(request, "backoffice/rule_change.html", context)
