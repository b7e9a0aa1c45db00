"""Works out, once, what the active rules would send, or how that would differ if one of them were changed."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.reminders.compare_rehearsals import compare
from payorcrm.reminders.foresee import END, ForeseenRun, foresee
from payorcrm.reminders.models import KeptRehearsal, RehearsedDay, Rule
from payorcrm.reminders.run_rules import active_rules

# In a draft it stands for a rule that has never been stored, so that asking again finds what was asked before.
NEW = UUID(int=0)


def work_out(kept_id: UUID, *, now: datetime, is_patient: bool = False) -> None:
    """Fill in a rehearsal once. While somebody else is at it, this leaves it alone, or waits for its end."""
    base = KeptRehearsal.objects.filter(id=kept_id).values_list("compared_with", flat=True).first()
    if base:
        work_out(base, now=now, is_patient=True)
    with transaction.atomic(), connection.cursor() as cursor:
        waiting = KeptRehearsal.objects.select_for_update(skip_locked=not is_patient, no_key=True, of=("self",))
        kept = waiting.select_related("merchant").filter(id=kept_id, worked_out_at=None).first()
        if kept is None:
            return
        rules = active_rules(kept.merchant)
        if kept.draft:
            rules = with_draft(rules, drafted(kept))
        runs = foresee(kept.merchant, rules, now=now)
        if kept.draft:
            kept.counts = compare(cursor, kept)
        else:
            _keep(cursor, kept, runs)
        cursor.execute(END)
        kept.worked_out_at, kept.rule_count = now, len(rules)
        kept.invoice_count = Invoice.objects.filter(merchant=kept.merchant, status=InvoiceStatus.OPEN).count()
        kept.save()


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
