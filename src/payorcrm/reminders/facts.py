"""Reads, in eight queries for any number of mails, all that reminders say: today's balances, people, methods."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from payorcrm.core.clock import day_in
from payorcrm.customers.models import Contact, Customer, PortalAccess, Topic
from payorcrm.customers.recipients import Recipients, recipients_of
from payorcrm.gateways.base import MethodKind
from payorcrm.invoices.draw_statement import Open, read_open
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.models import DEBIT_CURRENCY, PaymentMethod
from payorcrm.payments.models import PaymentRequestLine
from payorcrm.reminders.models import Hold, LeftOut, Reminder, ReminderRun
from payorcrm.reminders.parts import Row
from payorcrm.reminders.summary import LINES_READ, is_asked_for


@dataclass(frozen=True, slots=True)
class Method:
    """A saved card or bank account, as a button names it."""

    id: UUID
    kind: str
    last4: str


@dataclass(slots=True)
class Facts:
    """What one reminder is about."""

    mail: Mail
    run: ReminderRun
    request_id: UUID
    customer_id: UUID
    currency: str
    company_name: str
    today: date
    reminder_id: UUID | None = None
    # Why nobody of the customer gets a reminder now; empty if somebody does.
    unreachable: str = ""
    recipients: Recipients | None = None
    language: str = ""
    first_name: str = ""
    last_name: str = ""
    may_sign_in: bool = False
    rows: list[Row] = field(default_factory=list)
    invoice_ids: list[str] = field(default_factory=list)
    # Invoices that were chosen and are not mailed about, and why; and what was noted of that before.
    left_out: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)
    methods: list[Method] = field(default_factory=list)
    owed: Open | None = None  # only where the text shows the summary
    # Not empty: two records disagree about whose mail or whose invoice this is.
    contradiction: str = ""

    @property
    def merchant(self) -> Merchant:
        return self.run.merchant

    def text(self) -> tuple[str, str]:
        """Return subject and body for the customer, as they were when the run began."""
        return (self.run.version or self.run.template).text_in(self.language)


def read_facts(mails: list[Mail], *, now: datetime) -> list[Facts]:
    """Return the facts of each mail that has a reminder, in the order of the mails."""
    by_mail = _read_reminders(mails, now)
    facts = [by_mail[mail.id] for mail in mails if mail.id in by_mail]
    _read_invoices(facts)
    read_people(facts)
    _read_owed(facts)
    _read_recipients(facts)
    return facts


def read_customers(facts: list[Facts]) -> None:
    """Read what customers would be reminded of now, each in the currency of its facts, without any request."""
    invoices = Invoice.objects.open().filter(customer_id__in=_customers(facts), in_flight=0)
    by_customer = defaultdict(list)
    columns = ("customer_id", "currency", "number", "due_on", "balance", "id")
    for customer_id, currency, *row in invoices.order_by("due_on", "number").values_list(*columns):
        by_customer[customer_id, currency].append(Row(*row))
    for fact in facts:
        fact.rows = [row for row in by_customer[fact.customer_id, fact.currency] if row.due_on < fact.today]
    read_people(facts)
    _read_owed(facts)


def read_people(facts: list[Facts]) -> None:
    """Read whom each mail greets, what they have saved to pay with, and whether they sign in, in three queries."""
    _read_names(facts)
    _read_methods(facts)
    _read_accesses(facts)


def _read_reminders(mails: list[Mail], now: datetime) -> dict[UUID, Facts]:
    columns = (
        "id", "mail_id", "run_id", "merchant_id", "customer_id", "request_id", "request__merchant_id",
        "request__customer_id", "request__currency", "customer__merchant_id", "customer__company_name",
        "customer__unsubscribed_at", "customer__is_reminded", "customer__language", "left_out",
    )  # fmt: skip
    found = list(Reminder.objects.filter(mail_id__in=[mail.id for mail in mails]).values(*columns))
    runs = ReminderRun.objects.select_related("merchant", "template", "version").in_bulk(
        {row["run_id"] for row in found}
    )
    days = {run.merchant_id: day_in(run.merchant.time_zone, now) for run in runs.values()}
    mail_by_id = {mail.id: mail for mail in mails}
    return {row["mail_id"]: _facts(mail_by_id[row["mail_id"]], row, runs[row["run_id"]], days) for row in found}


def _facts(mail: Mail, row: dict[str, Any], run: ReminderRun, days: dict[UUID, date]) -> Facts:
    named = [row[column] for column in ("merchant_id", "request__merchant_id", "customer__merchant_id")]
    merchants = {mail.merchant_id, run.merchant_id, *named}
    customers = {mail.customer_id, row["customer_id"], row["request__customer_id"]}
    return Facts(
        mail=mail,
        run=run,
        request_id=row["request_id"],
        customer_id=row["customer_id"],
        currency=row["request__currency"],
        company_name=row["customer__company_name"],
        reminder_id=row["id"],
        unreachable=_unreachable(row),
        noted=row["left_out"],
        today=days[run.merchant_id],
        language=row["customer__language"] or run.merchant.language,
        contradiction="" if len(merchants) == len(customers) == 1 else f"mail {mail.id} names more than one customer",
    )


def _read_names(facts: list[Facts]) -> None:
    contacts = Contact.objects.filter(customer_id__in=_customers(facts), is_primary=True)
    names = {customer: people for customer, *people in contacts.values_list("customer_id", "first_name", "last_name")}
    for fact in facts:
        fact.first_name, fact.last_name = names.get(fact.customer_id, ("", ""))


def _read_invoices(facts: list[Facts]) -> None:
    by_request = {fact.request_id: fact for fact in facts}
    held = _held_among(facts)
    lines = PaymentRequestLine.objects.filter(request_id__in=list(by_request)).order_by(
        "invoice__due_on", "invoice__number"
    )
    columns = ("id", "number", "due_on", "balance", "in_flight", "status", "currency", "merchant_id", "customer_id")
    invoice_columns = [f"invoice__{column}" for column in columns]
    for request_id, line_customer, *invoice in lines.values_list("request_id", "customer_id", *invoice_columns):
        fact = by_request[request_id]
        invoice_id, number, due_on, balance, in_flight, status, currency, merchant_id, customer_id = invoice
        if (merchant_id, customer_id, line_customer, currency) != (
            fact.run.merchant_id, fact.customer_id, fact.customer_id, fact.currency
        ):  # fmt: skip
            fact.contradiction = f"invoice {number} does not belong to the customer of mail {fact.mail.id}"
        fact.invoice_ids.append(str(invoice_id))
        is_time = fact.run.rule_id is not None or due_on < fact.today
        is_held = bool(held) and (invoice_id in held or (fact.customer_id, None) in held)
        if why := _why_not(status, in_flight, is_time=is_time, is_held=is_held):
            fact.left_out[str(invoice_id)] = why
        else:
            fact.rows.append(Row(number, due_on, balance, invoice_id))


def _why_not(status: str, in_flight: int, *, is_time: bool, is_held: bool) -> LeftOut | None:
    """Return why nobody is reminded of an invoice now."""
    if status != InvoiceStatus.OPEN:
        return LeftOut.SETTLED
    if in_flight:
        return LeftOut.PROCESSING
    if is_held:
        return LeftOut.ON_HOLD
    return None if is_time else LeftOut.NOT_DUE


def _unreachable(row: dict[str, Any]) -> str:
    if row["customer__unsubscribed_at"]:
        return LeftOut.UNSUBSCRIBED
    return "" if row["customer__is_reminded"] else LeftOut.NOT_REMINDED


def _read_recipients(facts: list[Facts]) -> None:
    """Read to whom the mails go now: the address may have changed since they were queued."""
    real = [fact for fact in facts if not fact.run.to_address]
    found = recipients_of({fact.customer_id for fact in real}, Topic.REMINDERS)
    for fact in real:
        fact.recipients = found.get(fact.customer_id)
        fact.unreachable = fact.unreachable or ("" if fact.recipients else LeftOut.NO_ADDRESS)


def _held_among(facts: list[Facts]) -> set[object]:
    """Return the ids of invoices on hold, and (customer id, None) for each customer as a whole."""
    holds = Hold.objects.filter(customer_id__in=_customers(facts), ended_at__isnull=True)
    days = {fact.customer_id: fact.today for fact in facts}
    columns = holds.values_list("customer_id", "invoice_id", "until")
    return {
        invoice_id or (customer_id, None)
        for customer_id, invoice_id, until in columns
        if until is None or until >= days[customer_id]
    }


def _read_methods(facts: list[Facts]) -> None:
    saved = PaymentMethod.objects.saved().verified().filter(customer_id__in=_customers(facts)).in_order()
    columns = ("id", "customer_id", "kind", "last4", "expiry_year", "expiry_month")
    by_customer = defaultdict(list)
    for method_id, customer_id, kind, last4, *expiry in saved.values_list(*columns):
        by_customer[customer_id].append((Method(method_id, kind, last4), kind == MethodKind.CARD, expiry))
    for fact in facts:
        fact.methods = [
            method
            for method, is_card, expiry in by_customer[fact.customer_id]
            if _is_valid(expiry, fact.today) and (is_card or fact.currency == DEBIT_CURRENCY)
        ]


def _read_accesses(facts: list[Facts]) -> None:
    accesses = PortalAccess.objects.live().filter(customer_id__in=_customers(facts))
    customers = set(accesses.values_list("customer_id", flat=True))
    for fact in facts:
        fact.may_sign_in = fact.customer_id in customers


def _read_owed(facts: list[Facts]) -> None:
    asking = [fact for fact in facts if is_asked_for(fact.text()[1])]
    for today in {fact.today for fact in asking}:
        of_the_day = [fact for fact in asking if fact.today == today]
        customers = Customer.objects.filter(id__in=_customers(of_the_day)).select_related("merchant")
        owed = read_open(list(customers), today=today, most=LINES_READ)
        for fact in of_the_day:
            fact.owed = owed.get(fact.customer_id)


def _is_valid(expiry: list[int | None], today: date) -> bool:
    year, month = expiry
    return year is None or month is None or (year, month) >= (today.year, today.month)


def _customers(facts: Iterable[Facts]) -> list[UUID]:
    return list({fact.customer_id for fact in facts})
