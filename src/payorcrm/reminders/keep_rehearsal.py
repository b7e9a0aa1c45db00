"""Keeps rehearsals that were worked out once, of the active rules and of changes of one: the pages only read.

It is found again by a fingerprint of all that it was worked out from. A change of any of it leads to a new one.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.jobs import enqueue_once
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import Rule
from payorcrm.reminders.rehearsal_models import KeptRehearsal, RehearsedMail
from payorcrm.reminders.take_fingerprint import fingerprint_of
from payorcrm.reminders.work_out_rehearsal import as_draft, newer_draft_of, work_out

# A page works out a rehearsal of so many open invoices by itself; a job does the larger ones.
MOST_FOR_A_PAGE = 5000
# A job that has not worked it out by then was lost, or is slow: another one does no harm.
PATIENCE = timedelta(minutes=2)
# One that was shown stays for a while after something has changed, for whoever pages through it.
KEPT_AFTER_A_CHANGE, KEPT = timedelta(hours=1), timedelta(days=1)
NUMBERS_SHOWN = 20


def rehearsal_of(merchant: Merchant, *, now: datetime) -> KeptRehearsal:
    """Return what the active rules would send by what is known now; a large one may still have to be worked out.

    While a large one is under way it is that one, whatever has changed since: on a busy day something always has.
    """
    fingerprint = fingerprint_of(merchant, now)
    of_now = KeptRehearsal.objects.filter(merchant=merchant, compared_with=None)
    if _is_large(merchant.id) and not of_now.filter(fingerprint=fingerprint).exists():
        recent = of_now.filter(worked_out_at=None, asked_at__gt=now - KEPT_AFTER_A_CHANGE)
        if under_way := recent.order_by("asked_at").last():
            return _begin(under_way, now)
    kept, is_new = _kept(merchant, fingerprint, now)
    return _begin(kept, now) if is_new else see_to(kept, now=now)


def _is_large(merchant_id: UUID) -> bool:
    return Invoice.objects.filter(merchant=merchant_id, status=InvoiceStatus.OPEN)[MOST_FOR_A_PAGE:].exists()


def _kept(merchant: Merchant, fingerprint: str, now: datetime) -> tuple[KeptRehearsal, bool]:
    given = {"merchant": merchant, "fingerprint": fingerprint}
    return KeptRehearsal.objects.get_or_create(**given, defaults={"asked_at": now})


def change_of(rule: Rule, *, is_written: bool = False, now: datetime) -> KeptRehearsal:
    """Return how the mails of the coming days would differ if a rule were as it is given; the rule is not stored.

    `is_written` says that it stands so in a form. What is large may still have to be worked out.
    """
    base, _ = _kept(rule.merchant, fingerprint_of(rule.merchant, now), now)
    draft = as_draft(rule) | {"is_written": is_written}
    fingerprint = sha256(f"{base.fingerprint} {json.dumps(draft, sort_keys=True)}".encode()).hexdigest()
    defaults = {"asked_at": now, "draft": draft, "compared_with": base}
    given = {"merchant": rule.merchant, "fingerprint": fingerprint}
    kept, is_new = KeptRehearsal.objects.get_or_create(**given, defaults=defaults)
    if is_new or _is_asked_once_more(kept, now):
        return _begin(kept, now)
    return see_to(kept, now=now)


def _is_asked_once_more(kept: KeptRehearsal, now: datetime) -> bool:
    """Make a draft the latest again, unless it is that or somebody works it out; say whether that was done."""
    if newer_draft_of(kept) is None:
        return False
    free = KeptRehearsal.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    with transaction.atomic():
        is_free = free.filter(id=kept.id, worked_out_at=None).exists()
        if is_free:
            kept.asked_at = now
            kept.save(update_fields=["asked_at"])
    return is_free


def see_to(kept: KeptRehearsal, *, now: datetime) -> KeptRehearsal:
    """Begin a rehearsal once more that has not been worked out in good time, while anybody waits for it."""
    return _begin(kept, now) if is_late(kept, now=now) and not newer_draft_of(kept) else kept


def _begin(kept: KeptRehearsal, now: datetime) -> KeptRehearsal:
    """Work a rehearsal out, or let a job do it if it is large, unless one does already.

    Its row is not touched: whoever works it out has locked it until the end. Of a merchant one job works at a time.
    """
    if _is_large(kept.merchant_id):
        enqueue_once(
            "payorcrm.reminders.jobs.work_out_rehearsal",
            key=f"rehearsal {kept.id}",
            lock=f"rehearsals of {kept.merchant_id}",
            rehearsal_id=str(kept.id),
        )
    else:
        work_out(kept.id, now=now)
        kept.refresh_from_db()
    return kept


def is_late(kept: KeptRehearsal, *, now: datetime) -> bool:
    """Say whether it takes longer than it should."""
    return kept.worked_out_at is None and kept.asked_at < now - PATIENCE


def has_changed_since(kept: KeptRehearsal, *, now: datetime) -> bool:
    """Say whether anything that a rehearsal of now depends on has changed since it was asked for."""
    return kept.fingerprint != fingerprint_of(kept.merchant, now)


def name_invoices(mails: Sequence[RehearsedMail], *, most: int = NUMBERS_SHOWN) -> dict[int, list[str]]:
    """Return the numbers of the first invoices of some mails, by the mails' ids."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, {"mails": [mail.id for mail in mails], "most": most})
        return dict(cursor.fetchall())


NUMBERS = """
SELECT mail.id, (array_agg(invoice.number ORDER BY invoice.due_on, invoice.number))[1:%(most)s]
FROM reminders_rehearsedmail AS mail
CROSS JOIN unnest(mail.invoice_ids) AS named (id)
JOIN invoices_invoice AS invoice ON invoice.id = named.id
WHERE mail.id = ANY(%(mails)s::bigint[])
GROUP BY mail.id
"""


def first_mails(kept: KeptRehearsal, *, most: int) -> list[RehearsedMail]:
    """Return the first mails of each day."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST, {"rehearsal": kept.id, "most": most})
        ids = [mail_id for (mail_id,) in cursor.fetchall()]
    return list(RehearsedMail.objects.filter(id__in=ids).select_related("customer", "rule__template").order_by("id"))


FIRST = """
SELECT mail.id
FROM reminders_rehearsedday AS each
CROSS JOIN LATERAL (
    SELECT id FROM reminders_rehearsedmail AS mail
    WHERE mail.rehearsal_id = each.rehearsal_id AND mail.day = each.day ORDER BY mail.id LIMIT %(most)s
) AS mail
WHERE each.rehearsal_id = %(rehearsal)s
"""


def forget_rehearsals(*, now: datetime) -> None:
    """Throw away what is old, and what something has changed since."""
    of_now = KeptRehearsal.objects.filter(compared_with=None)
    latest = of_now.order_by("merchant_id", "-asked_at", "-id").distinct("merchant_id")
    old = KeptRehearsal.objects.filter(asked_at__lt=now - KEPT_AFTER_A_CHANGE).exclude(id__in=latest.values("id"))
    (old | KeptRehearsal.objects.filter(asked_at__lt=now - KEPT)).delete()
