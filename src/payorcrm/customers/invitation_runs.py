"""Invites many customers: says whom it would reach, starts a run, and works it off in batches that survive a crash."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.jobs import enqueue_named
from payorcrm.core.models import User
from payorcrm.customers.access_states import CAN_SIGN_IN
from payorcrm.customers.invite_guests import KIND, Guest, invite_guests
from payorcrm.customers.mails import send_test_invitation
from payorcrm.customers.models import Customer, InvitationRun, LineOutcome
from payorcrm.mail.models import MailState
from payorcrm.merchants.models import Merchant
from payorcrm.staff.record_change import Change

__all__ = ["Plan", "Progress", "plan_run", "progress_of", "send_test_invitation", "start_run", "work_off"]

BATCH_SIZE = 250
BATCHES_A_JOB = 20
ADDRESSES_SHOWN = 20
LEFT_OUT_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do now; `addresses` and `skipped` are the first ones in order of the customers' names."""

    to_invite: int
    addresses: list[str]
    skipped: list[tuple[Customer, LineOutcome]]
    counts: dict[LineOutcome, int]

    @property
    def more_addresses(self) -> int:
        return self.to_invite - len(self.addresses)

    @property
    def skipped_count(self) -> int:
        return sum(self.counts.values())

    @property
    def more_skipped(self) -> int:
        return self.skipped_count - len(self.skipped)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: customers by outcome, and how many of its mails went out or never will."""

    total: int
    counts: dict[LineOutcome, int]
    sent: int
    failed: int
    left_out: list[tuple[Customer, LineOutcome]]

    @property
    def done(self) -> int:
        return self.total - self.counts.get(LineOutcome.WAITING, 0)

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        """Labels and counts of what there is, in the order of the outcomes."""
        return [(str(outcome.label), count) for outcome, count in self.counts.items()]

    @property
    def more_left_out(self) -> int:
        invited = self.counts.get(LineOutcome.INVITED, 0)
        return self.done - invited - len(self.left_out)


def plan_run(*, merchant: Merchant, customer_ids: Sequence[UUID] | None) -> Plan:
    """Say whom a run would invite, and whom not and why; without ids, of all customers."""
    values = _chosen(merchant, customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {_CANDIDATES} {_COUNTS}", values)
        counts = {LineOutcome(outcome): count for outcome, count in cursor.fetchall()}
        cursor.execute(f"WITH {_CANDIDATES} {_ADDRESSES}", values)
        addresses = [address for (address,) in cursor.fetchall()]
    skipped = Customer.objects.raw(f"WITH {_CANDIDATES} {_SKIPPED}", values)
    return Plan(
        to_invite=counts.pop(LineOutcome.INVITED, 0),
        addresses=addresses,
        skipped=_with_outcomes(skipped),
        counts=counts,
    )


def start_run(
    *, merchant: Merchant, customer_ids: Sequence[UUID] | None, started_by: User | None, now: datetime
) -> InvitationRun:
    """Write down whom to invite, and enqueue the job that does it. Customers who wait in another run are left out.

    A second press, with nobody left to invite while a run is under way, returns that run.
    """
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=merchant.id)
        under_way = InvitationRun.objects.filter(merchant=merchant, finished_at=None).order_by("-id").first()
        run = InvitationRun.objects.create(merchant=merchant, started_by=started_by, started_at=now)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT_LINES, {**_chosen(merchant, customer_ids), "run": run.id})
            line_count = cursor.rowcount
        if not line_count and under_way:
            run.delete()
            return under_way
        if line_count:
            enqueue_named("payorcrm.customers.jobs.work_off_run", run_id=str(run.id))
        else:
            InvitationRun.objects.filter(id=run.id).update(finished_at=now)
            run.finished_at = now
    return run


def changes_of_run(run: InvitationRun) -> list[Change]:
    """Return whom a run is to invite, for the audit log; what became of each, the run itself says."""
    names = run.lines.order_by("id").values_list("customer__company_name", flat=True)
    return [(f"Invitation of {name}", "", "asked for") for name in names]


def progress_of(run: InvitationRun) -> Progress:
    """Count what became of a run's customers and of their mails so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outcome, count(*) FROM customers_invitationline WHERE run_id = %s GROUP BY 1", [run.id])
        found = dict(cursor.fetchall())
        cursor.execute(_MAILS, {"run": run.id, "kind": KIND, "started_at": run.started_at})
        mails = dict(cursor.fetchall())
    left_out = Customer.objects.raw(_LEFT_OUT, [run.id, LEFT_OUT_SHOWN])
    return Progress(
        total=sum(found.values()),
        counts={outcome: found[outcome] for outcome in LineOutcome if outcome in found},
        sent=mails.get(MailState.SENT, 0),
        failed=mails.get(MailState.FAILED, 0) + mails.get(MailState.BOUNCED, 0),
        left_out=_with_outcomes(left_out),
    )


def unfinished_runs() -> list[UUID]:
    """Return the runs that are not worked off."""
    return list(InvitationRun.objects.filter(finished_at=None).order_by("id").values_list("id", flat=True))


def work_off(run_id: UUID, *, now: datetime) -> bool:
    """Invite the next thousands of a run's customers, a batch a transaction; say whether more are waiting.

    Every customer's invitation, mail and line are written together or not at all, so that whoever goes on after a crash
    mails nobody twice. While another worker is at the run, this one leaves it alone.
    """
    return all(_work_off_batch(run_id, now) for _ in range(BATCHES_A_JOB))


def _work_off_batch(run_id: UUID, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        unlocked = InvitationRun.objects.select_for_update(skip_locked=True, no_key=True)
        if not list(unlocked.filter(id=run_id, finished_at=None)):
            return False
        lines = _next_lines(run_id)
        invited = invite_guests([line.guest for line in lines if line.guest], now=now, is_bulk=True)
        _mark([(line.id, _outcome(line, invited)) for line in lines])
        if len(lines) < BATCH_SIZE:
            InvitationRun.objects.filter(id=run_id).update(finished_at=now)
        return len(lines) == BATCH_SIZE


@dataclass(frozen=True, slots=True)
class _Line:
    """A waiting line: whom to invite, or why nobody."""

    id: int
    guest: Guest | None
    outcome: LineOutcome


def _next_lines(run_id: UUID) -> list[_Line]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_LINES, {"run": run_id, "limit": BATCH_SIZE})
        rows = cursor.fetchall()
    return [
        _Line(line_id, Guest(*who) if outcome == LineOutcome.INVITED else None, outcome)
        for line_id, outcome, *who in rows
    ]


def _outcome(line: _Line, invited: dict[UUID, Any]) -> str:
    if line.guest and line.guest.customer_id not in invited:
        return LineOutcome.REMOVED.value
    return LineOutcome(line.outcome).value


def _mark(outcomes: list[tuple[int, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [[line_id for line_id, _ in outcomes], [outcome for _, outcome in outcomes]])


def _with_outcomes(customers: Iterable[Customer]) -> list[tuple[Customer, LineOutcome]]:
    """Read what a statement says beside each customer."""
    return [(customer, LineOutcome(vars(customer)["outcome"])) for customer in customers]


def _chosen(merchant: Merchant, customer_ids: Sequence[UUID] | None) -> dict[str, Any]:
    return {"merchant": merchant.id, "customers": None if customer_ids is None else list(customer_ids)}


# What becomes of a customer is decided by the user whom the address on file names, if there is one.
_WITH_OUTCOME = f"""
SELECT customer.id, customer.merchant_id, customer.company_name, contact.email,
    coalesce(nullif(trim(contact.first_name || ' ' || contact.last_name), ''), contact.email) AS contact_name,
    CASE
        WHEN coalesce(contact.email, '') = '' THEN 'no_address'
        WHEN suppression.id IS NOT NULL THEN 'suppressed'
        WHEN access.removed_at IS NOT NULL THEN 'removed'
        WHEN access.id IS NOT NULL AND {CAN_SIGN_IN} THEN 'signs_in'
        ELSE 'invited'
    END AS outcome
FROM customers_customer AS customer
LEFT JOIN customers_contact AS contact ON contact.customer_id = customer.id AND contact.is_primary
LEFT JOIN mail_suppression AS suppression ON suppression.merchant_id = customer.merchant_id
    AND suppression.address = lower(contact.email) AND suppression.lifted_at IS NULL
LEFT JOIN core_user AS known ON lower(known.email) = lower(contact.email) AND contact.email <> ''
LEFT JOIN customers_portalaccess AS access ON access.customer_id = customer.id AND access.user_id = known.id
"""  # noqa: S608
_CANDIDATES = f"""candidates AS ({_WITH_OUTCOME}
WHERE customer.merchant_id = %(merchant)s
    AND (%(customers)s::uuid[] IS NULL OR customer.id = ANY(%(customers)s::uuid[])))
"""
_COUNTS = "SELECT outcome, count(*) FROM candidates GROUP BY 1"
_ADDRESSES = f"""
SELECT email FROM candidates WHERE outcome = 'invited' ORDER BY lower(company_name), id LIMIT {ADDRESSES_SHOWN}
"""  # noqa: S608
_SKIPPED = f"""
SELECT customer.*, candidates.outcome FROM candidates JOIN customers_customer AS customer USING (id)
WHERE outcome <> 'invited' ORDER BY lower(customer.company_name), id LIMIT {LEFT_OUT_SHOWN}
"""  # noqa: S608
_INSERT_LINES = """
INSERT INTO customers_invitationline (merchant_id, run_id, customer_id, outcome)
SELECT %(merchant)s, %(run)s, customer.id, 'waiting' FROM customers_customer AS customer
WHERE customer.merchant_id = %(merchant)s
    AND (%(customers)s::uuid[] IS NULL OR customer.id = ANY(%(customers)s::uuid[]))
    AND NOT EXISTS (
        SELECT FROM customers_invitationline AS line JOIN customers_invitationrun AS run ON run.id = line.run_id
        WHERE line.customer_id = customer.id AND line.outcome = 'waiting' AND run.finished_at IS NULL
    )
ORDER BY lower(customer.company_name), customer.id
"""
_NEXT_LINES = f"""
SELECT line.id, chosen.outcome, chosen.merchant_id, chosen.id, chosen.email, chosen.contact_name
FROM (
    SELECT id, customer_id FROM customers_invitationline
    WHERE run_id = %(run)s AND outcome = 'waiting' ORDER BY id LIMIT %(limit)s
) AS line
CROSS JOIN LATERAL ({_WITH_OUTCOME} WHERE customer.id = line.customer_id) AS chosen
ORDER BY line.id
"""  # noqa: S608
_MARK = """
UPDATE customers_invitationline AS line SET outcome = done.outcome
FROM unnest(%s::bigint[], %s::text[]) AS done (id, outcome) WHERE line.id = done.id
"""
_MAILS = """
SELECT mail.state, count(DISTINCT mail.id)
FROM customers_invitationline AS line
JOIN customers_portalaccess AS access ON access.customer_id = line.customer_id
JOIN customers_invitation AS invitation ON invitation.access_id = access.id
JOIN mail_mail AS mail ON mail.kind = %(kind)s AND mail.about_id = invitation.id
WHERE line.run_id = %(run)s AND line.outcome = 'invited' AND mail.is_bulk AND mail.queued_at >= %(started_at)s
GROUP BY 1
"""
_LEFT_OUT = """
SELECT customer.*, line.outcome FROM customers_invitationline AS line
JOIN customers_customer AS customer ON customer.id = line.customer_id
WHERE line.run_id = %s AND line.outcome NOT IN ('waiting', 'invited') ORDER BY line.id LIMIT %s
"""
