"""Works out, once, what the active rules would send, or how that would differ if one of them were changed."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from payorcrm.core.one_snapshot import in_one_snapshot
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.reminders.compare_rehearsals import compare
from payorcrm.reminders.foresee import END, ForeseenRun, foresee
from payorcrm.reminders.models import Rule
from payorcrm.reminders.rehearsal_models import KeptRehearsal, RehearsedDay
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.take_fingerprint import fingerprint_of

# In a draft it stands for a rule that has never been stored, so that asking again finds what was asked before.
NEW = UUID(int=0)


def work_out(kept_id: UUID, *, now: datetime) -> None:
    """Fill in a rehearsal once. What somebody else is at, or nobody waits for any more, is left alone.

    Both sides of a comparison see the same moment.
    """
    in_one_snapshot(partial(_work_out, kept_id, now))


def _work_out(kept_id: UUID, now: datetime) -> None:
    waiting = _with_merchant().filter(id=kept_id, worked_out_at=None)
    kept = waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
    if kept is None or newer_draft_of(kept):
        return
    if kept.draft:
        kept.compared_with = _rehearsal_of_this_moment(kept, now)
    _fill(kept, now)


def _with_merchant() -> QuerySet[KeptRehearsal]:
    return KeptRehearsal.objects.select_related("merchant")


def _rehearsal_of_this_moment(kept: KeptRehearsal, now: datetime) -> KeptRehearsal:
    """Return what the rules that are on would send by what this transaction sees.

    One that was worked out already serves if nothing has changed since. Whatever changes while one is worked out makes
    that a later moment than its fingerprint says, but never an earlier one: no snapshot has both.
    """
    fingerprint = fingerprint_of(kept.merchant, now)
    locked = _with_merchant().select_for_update(no_key=True, of=("self",))
    assert kept.compared_with_id
    base = locked.get(id=kept.compared_with_id)
    if base.worked_out_at and base.fingerprint != fingerprint:
        given = {"merchant": kept.merchant, "fingerprint": fingerprint}
        base, _ = locked.get_or_create(**given, defaults={"asked_at": now})
    if base.worked_out_at is None:
        _fill(base, now)
    return base


def _fill(kept: KeptRehearsal, now: datetime) -> None:
    rules = active_rules(kept.merchant)
    if kept.draft:
        rules = with_draft(rules, drafted(kept))
    with connection.cursor() as cursor:
        runs = foresee(kept.merchant, rules, now=now)
        if kept.draft:
            kept.counts = compare(cursor, kept)
        else:
            _keep(cursor, kept, runs)
        cursor.execute(END)
    kept.worked_out_at, kept.rule_count = now, len(rules)
    kept.invoice_count = Invoice.objects.filter(merchant=kept.merchant, status=InvoiceStatus.OPEN).count()
    kept.save()


def newer_draft_of(kept: KeptRehearsal) -> KeptRehearsal | None:
    """Return what was asked about the same rule later: then nobody waits for this one, unless it is there already."""
    if kept.draft is None or kept.worked_out_at:
        return None
    same = {f"draft__{name}": kept.draft[name] for name in ("id", "is_written")}
    later = KeptRehearsal.objects.filter(merchant=kept.merchant_id, asked_at__gt=kept.asked_at, **same)
    return later.order_by("asked_at").last()


def as_draft(rule: Rule) -> dict[str, Any]:
    """Return a rule, stored or not, as a rehearsal keeps it."""
    is_new = rule._state.adding
    return {
        "id": str(NEW if is_new else rule.id),
        "name": rule.name,
        "template": str(rule.template_id),
        "conditions": rule.conditions,
        "position": rule.position,
        "is_active": rule.is_active,
        "active_since": rule.active_since and rule.active_since.isoformat(),
        # As it is stored, which `rule` is not.
        "was_active": Rule.objects.filter(id=rule.id, is_active=True).exists(),
    }


def drafted(kept: KeptRehearsal) -> Rule:
    """Return the rule that a rehearsal is about, as it would be; it is not to be stored."""
    draft = kept.draft or {}
    since = draft["active_since"] and date.fromisoformat(draft["active_since"])
    as_it_is = {name: draft[name] for name in ("name", "conditions", "position", "is_active")}
    return Rule(
        id=UUID(draft["id"]), merchant=kept.merchant, template_id=draft["template"], active_since=since, **as_it_is
    )


def with_draft(active: Sequence[Rule], rule: Rule) -> list[Rule]:
    """Return the rules that would be on if one of them, or one more, were as it is given."""
    others = [each for each in active if each.id != rule.id]
    return [*others, rule] if rule.is_active else others


def _keep(cursor: CursorWrapper, kept: KeptRehearsal, runs: Sequence[ForeseenRun]) -> None:
    cursor.execute(KEEP, {"rehearsal": kept.id})
    cursor.execute(TOTALS)
    RehearsedDay.objects.bulk_create(_days(kept, runs, cursor.fetchall()))


Total = tuple[date, str, int, int, int]


def _days(kept: KeptRehearsal, runs: Sequence[ForeseenRun], totals: Sequence[Total]) -> Iterator[RehearsedDay]:
    """Return the days on which something is sent; a run that is late may share its day with the next one."""
    for day, of_day in groupby(runs, key=attrgetter("sent_on")):
        sums = [row for row in totals if row[0] == day]
        if sums:
            yield RehearsedDay(
                rehearsal=kept,
                day=day,
                mail_count=sum(row[2] for row in sums),
                invoice_count=sum(row[3] for row in sums),
                totals=[[int(row[4]), row[1]] for row in sums],
                held_because=" ".join(run.held_because for run in of_day if run.held_because),
            )


KEEP = """
INSERT INTO reminders_rehearsedmail (rehearsal_id, day, customer_id, rule_id, currency, amount, invoice_ids)
SELECT %(rehearsal)s, mail.sent_on, mail.customer_id, mail.rule_id, mail.currency, mail.amount, mail.invoice_ids
FROM foreseen_mail AS mail JOIN customers_customer AS customer ON customer.id = mail.customer_id
ORDER BY mail.sent_on, lower(customer.company_name), mail.customer_id, mail.currency
"""
TOTALS = """
SELECT sent_on, currency, count(*), sum(cardinality(invoice_ids)), sum(amount)
FROM foreseen_mail GROUP BY sent_on, currency ORDER BY sent_on, currency
"""
