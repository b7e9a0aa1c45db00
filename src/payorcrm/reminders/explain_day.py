"""Answers, for a customer and a day, what was sent and what was not, and why: from what runs wrote down.

For what no run wrote down, it looks whether the conditions hold by what is known today, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from payorcrm.core.clock import day_in
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.mail.models import MailState
from payorcrm.reminders.conditions import Tree
from payorcrm.reminders.describe_conditions import clause
from payorcrm.reminders.failed_conditions import failed_parts
from payorcrm.reminders.models import DayRun, Hold, LeftOut, Omission, Reminder, Rule, Step, StepState
from payorcrm.reminders.queries import midnight_of
from payorcrm.reminders.rehearse import ForeseenMail, rehearse
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.tell_run import tell_run

MOST_INVOICES = 50


@dataclass(frozen=True, slots=True)
class NotedRule:
    """A rule as a run noted it, or as it is today."""

    id: UUID
    name: str
    since: date | None
    conditions: Tree


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one rule for one invoice; `is_noted` says that a run wrote it down."""

    rule: str
    words: str
    state: str
    is_noted: bool


@dataclass(slots=True)
class AboutInvoice:
    """An invoice, what its rules said on the day, and which rules did not concern it."""

    invoice: Invoice
    verdicts: list[Verdict] = field(default_factory=list)
    others: list[Verdict] = field(default_factory=list)

    @property
    def can_be_reminded(self) -> bool:
        """Whether the invoice is owed today and no payment of it is under way, so that it takes a rule to say more."""
        return self.invoice.status == InvoiceStatus.OPEN and not self.invoice.in_flight


@dataclass(frozen=True, slots=True)
class SentReminder:
    """A reminder of the day: about which invoices, and what it left out when it was sent."""

    reminder: Reminder
    numbers: list[str]
    left_out: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DayExplained:
    """All that is known about a customer's reminders on one day."""

    day: date
    today: date
    run: DayRun | None
    sentences: list[str]
    reminders: list[SentReminder]
    holds: list[Hold]
    invoices: list[AboutInvoice]
    invoice_count: int
    planned: list[ForeseenMail]

    @property
    def is_future(self) -> bool:
        """Whether the day is still to come."""
        return self.day > self.today

    @property
    def is_past(self) -> bool:
        """Whether the day is over, so that today's state of an invoice explains nothing of it."""
        return self.day < self.today


def explain_day(*, customer: Customer, day: date, now: datetime, invoice: Invoice | None = None) -> DayExplained:
    """Say what was sent to a customer on a day of the merchant, what was not, and why; about one invoice if given."""
    merchant = customer.merchant
    today = day_in(merchant.time_zone, now)
    run = DayRun.objects.filter(merchant=merchant, day=day).select_related("decided_by").first()
    invoices = _invoices_on(customer, day, run, invoice)
    shown = list(invoices.select_related("merchant").order_by("due_on", "number")[:MOST_INVOICES])
    return DayExplained(
        day=day,
        today=today,
        run=run,
        sentences=tell_run(merchant, day=day, run=run, now=now),
        reminders=_reminders_on(customer, day),
        holds=_holds_on(customer, day),
        invoices=_verdicts(shown, day, run, now),
        invoice_count=invoices.count(),
        planned=_planned(customer, day, now) if day > today else [],
    )


def _invoices_on(customer: Customer, day: date, run: DayRun | None, invoice: Invoice | None) -> QuerySet[Invoice]:
    """Return what is open, and what a run of the day wrote something down about."""
    noted = Q(steps__day_run=run) | Q(omissions__day_run=run) if run else Q(pk=None)
    found = Invoice.objects.filter(customer=customer).filter(Q(status=InvoiceStatus.OPEN) | noted | Q(steps__day=day))
    if invoice:
        found = Invoice.objects.filter(id=invoice.id)
    return Invoice.objects.filter(id__in=found.values("id"))


def _reminders_on(customer: Customer, day: date) -> list[SentReminder]:
    begin, end = midnight_of(customer.merchant, day), midnight_of(customer.merchant, day + timedelta(days=1))
    found = Reminder.objects.filter(customer=customer, run__to_address="", mail__queued_at__range=(begin, end))
    reminders = []
    for reminder in found.select_related("mail", "run__rule", "run__template", "run__started_by").order_by("id"):
        lines = dict(reminder.request.lines.values_list("invoice_id", "invoice__number"))
        left_out = {UUID(key): LeftOut(reason).label for key, reason in reminder.left_out.items()}
        reminders.append(
            SentReminder(
                reminder,
                sorted(number for key, number in lines.items() if key not in left_out),
                sorted((lines[key], reason) for key, reason in left_out.items() if key in lines),
            )
        )
    return reminders


def _holds_on(customer: Customer, day: date) -> list[Hold]:
    zone = customer.merchant.time_zone
    holds = Hold.objects.filter(customer=customer).filter(Q(until__isnull=True) | Q(until__gte=day))
    return [
        hold
        for hold in holds.select_related("invoice", "held_by").order_by("id")
        if day_in(zone, hold.held_at) <= day and (hold.ended_at is None or day_in(zone, hold.ended_at) >= day)
    ]


def _planned(customer: Customer, day: date, now: datetime) -> list[ForeseenMail]:
    merchant = customer.merchant
    foreseen = rehearse(merchant, active_rules(merchant), now=now, customer_id=customer.id)
    return [mail for mail in foreseen.mails if mail.day == day]


def _verdicts(invoices: Sequence[Invoice], day: date, run: DayRun | None, now: datetime) -> list[AboutInvoice]:
    if not invoices:
        return []
    merchant = invoices[0].merchant
    rules = _noted_rules(run) if run else [_as_noted(rule) for rule in active_rules(merchant)]
    notes = _notes(invoices, day, run)
    about = {invoice.id: AboutInvoice(invoice) for invoice in invoices}
    for rule in rules:
        failed = failed_parts(rule.conditions, invoices, day=day, merchant=merchant)
        for invoice in invoices:
            noted = notes.get((invoice.id, rule.id))
            if noted:
                about[invoice.id].verdicts.append(Verdict(rule.name, *noted, True))
                continue
            words, is_due = _by_today(rule, invoice, failed[invoice.id], day, run, now)
            kept = about[invoice.id].verdicts if is_due else about[invoice.id].others
            kept.append(Verdict(rule.name, words, "pending" if is_due else "draft", False))
    return list(about.values())


def _noted_rules(run: DayRun) -> list[NotedRule]:
    return [
        NotedRule(
            UUID(rule["id"]),
            rule["name"],
            date.fromisoformat(rule["since"]) if rule["since"] else None,
            rule["conditions"],
        )
        for rule in run.rules
    ]


def _as_noted(rule: Rule) -> NotedRule:
    return NotedRule(rule.id, rule.name, rule.active_since, rule.conditions)


Notes = dict[tuple[UUID, UUID], tuple[str, str]]


def _notes(invoices: Sequence[Invoice], day: date, run: DayRun | None) -> Notes:
    """Return what runs wrote down: by the run of the day, and by other runs about what was due on the day."""
    ids = [invoice.id for invoice in invoices]
    of_day = Q(day_run=run) | Q(day=day) if run else Q(day=day)
    found: Notes = {}
    for omission in Omission.objects.filter(of_day, invoice__in=ids).select_related("day_run").order_by("day_run__day"):
        words = f"Not sent: {LeftOut(omission.reason).label.lower()}{_elsewhere(omission.day_run, omission.day, day)}."
        found[omission.invoice_id, omission.rule_id] = words, "withdrawn"
    steps = Step.objects.filter(of_day, invoice__in=ids).select_related("day_run").order_by("day_run__day")
    mails = _mails_of(ids)
    for step in steps:
        words, state = _of_step(step, mails)
        where = _elsewhere(step.day_run, step.day, day)
        found[step.invoice_id, step.rule_id] = f"{words}{where}.", state
    return found


def _elsewhere(run: DayRun, step_day: date, day: date) -> str:
    if run.day != day:
        return f", by the run of {_in_words(run.day)}"
    return f", for what fell due on {_in_words(step_day)}" if step_day != day else ""


Mails = dict[tuple[UUID, UUID], tuple[str, str]]


def _mails_of(invoice_ids: Sequence[UUID]) -> Mails:
    """Return state and reason of leaving out, by run and invoice."""
    reminders = Reminder.objects.filter(request__lines__invoice__in=invoice_ids, run__day_run__isnull=False)
    rows = reminders.values_list("run__day_run_id", "request__lines__invoice_id", "mail__state", "left_out")
    return {(run, invoice): (state, left_out.get(str(invoice), "")) for run, invoice, state, left_out in rows}


def _of_step(step: Step, mails: Mails) -> tuple[str, str]:
    if step.state != StepState.SENT:
        return StepState(step.state).label, "waiting" if step.state == StepState.HELD else "withdrawn"
    state, left_out = mails.get((step.day_run_id, step.invoice_id), ("", ""))
    if left_out:
        return f"Chosen, but left out when the mail was sent: {LeftOut(left_out).label.lower()}", "withdrawn"
    if state and state != MailState.SENT:
        return f"Chosen; the mail: {MailState(state).label.lower()}", state
    return "Mailed", "sent"


def _by_today(
    rule: NotedRule, invoice: Invoice, failed: list[Tree], day: date, run: DayRun | None, now: datetime
) -> tuple[str, bool]:
    """Say why no run wrote anything down, by what is known today; and whether the rule would be due."""
    merchant = invoice.merchant
    if rule.since and rule.since > day:
        return f"The rule is on since {_in_words(rule.since)} only.", False
    arrived = day_in(merchant.time_zone, invoice.created_at)
    if arrived > day:
        return f"The invoice came into the books on {_in_words(arrived)} only.", False
    if failed:
        parts = [clause(part, currency=invoice.currency) for part in failed]
        return f"Does not match: it is not so that {' and that '.join(parts)}.", False
    if invoice.status != InvoiceStatus.OPEN:
        return f"The invoice is {invoice.get_status_display().lower()}.", False
    if run is None:
        is_past = day < day_in(merchant.time_zone, now)
        return "Due on this day, by what is known today." if is_past else "Due on this day.", True
    return "It matches by what is known today, but did not when the rules ran.", True


def _in_words(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
