"""Reads, in a number of queries that does not grow with the mails, all that statements say."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from payorcrm.core.clock import day_in
from payorcrm.customers.models import Customer, Topic
from payorcrm.customers.recipients import Recipients, recipients_of
from payorcrm.invoices.draw_statement import MOST_INVOICES, Open, read_open
from payorcrm.invoices.models import InvoiceStatus
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import PaymentRequestLine
from payorcrm.reminders.facts import Facts, read_people
from payorcrm.reminders.models import Hold, ReminderRun, ReminderTemplate
from payorcrm.reminders.parts import Row
from payorcrm.reminders.templates import version_of
from payorcrm.statements.models import Statement, StatementRequest, StatementRun

NOBODY = UUID(int=0)


@dataclass(slots=True)
class StatementFacts:
    """What one statement is about: all that is owed, and what can be paid, in each currency."""

    mail: Mail
    run: StatementRun
    customer: Customer
    owed: Open
    # What the buttons pay, one a currency; there is always one, which says whom the mail greets.
    payable: list[Facts] = field(default_factory=list)
    is_on_hold: bool = False
    # To whom the mail goes now; nobody, if the customer has no address or wants no such mails.
    recipients: Recipients | None = None
    # Not empty: two records disagree about whose mail this is.
    contradiction: str = ""

    @property
    def language(self) -> str:
        return self.customer.language or self.run.merchant.language

    def is_wanted(self) -> bool:
        """Say whether the mail may still go out, and says anything."""
        is_stopped = self.customer.unsubscribed_at is not None or not self.customer.is_reminded or self.is_on_hold
        is_stopped = is_stopped or self.recipients is None
        owes = any(account.owed != account.processing for account in self.owed.accounts)
        return not is_stopped and (owes or self.run.includes_settled)


def read_statements(mails: list[Mail], *, now: datetime) -> list[StatementFacts]:
    """Return the facts of each mail that has a statement, in the order of the mails."""
    by_mail = {statement.mail_id: statement for statement in _statements(mails)}
    found = [(mail, by_mail[mail.id]) for mail in mails if mail.id in by_mail]
    days = {each.run.merchant_id: day_in(each.run.merchant.time_zone, now) for _, each in found}
    owed = _read_owed([each for _, each in found], days)
    facts = [_facts(mail, statement, owed[statement.customer_id]) for mail, statement in found]
    _read_requests(facts)
    read_people([part for fact in facts for part in fact.payable])
    _read_holds(facts)
    found_recipients = recipients_of({fact.customer.id for fact in facts}, Topic.REMINDERS)
    for fact in facts:
        fact.recipients = found_recipients.get(fact.customer.id)
    return facts


def facts_of(
    *, merchant: Merchant, template: ReminderTemplate, customer: Customer, includes_settled: bool, now: datetime
) -> StatementFacts:
    """Return what a customer's statement would say now; its links lead nowhere. Nothing is stored."""
    today = day_in(merchant.time_zone, now)
    run = StatementRun(
        merchant=merchant,
        template=template,
        version=version_of(template),
        includes_settled=includes_settled,
        day=today,
    )
    owed = read_open([customer], today=today, most=MOST_INVOICES)[customer.id]
    facts = StatementFacts(Mail(merchant=merchant), run, customer, owed)
    for account in owed.accounts:
        part = _part(facts, NOBODY, account.currency)
        part.rows = [
            Row(invoice.number, invoice.due_on, invoice.balance, invoice.id)
            for invoice in owed.listed
            if invoice.currency == account.currency and not invoice.in_flight
        ]
        facts.payable.append(part)
    facts.payable = facts.payable or [_part(facts, NOBODY, merchant.currency)]
    read_people(facts.payable)
    return facts


def _statements(mails: list[Mail]) -> list[Statement]:
    found = Statement.objects.filter(mail_id__in=[mail.id for mail in mails])
    statements = list(found.select_related("customer"))
    runs = StatementRun.objects.select_related("merchant", "template", "version")
    by_id = runs.in_bulk({each.run_id for each in statements})
    for each in statements:
        each.run = by_id[each.run_id]
    return statements


def _read_owed(statements: list[Statement], days: dict[UUID, date]) -> dict[UUID, Open]:
    by_day: dict[date, dict[UUID, Customer]] = defaultdict(dict)
    for each in statements:
        each.customer.merchant = each.run.merchant
        by_day[days[each.run.merchant_id]][each.customer_id] = each.customer
    owed: dict[UUID, Open] = {}
    for today, customers in by_day.items():
        owed |= read_open(list(customers.values()), today=today, most=MOST_INVOICES)
    return owed


def _facts(mail: Mail, statement: Statement, owed: Open) -> StatementFacts:
    named = {(mail.merchant_id, mail.customer_id), (statement.merchant_id, statement.customer_id)}
    named.add((statement.run.merchant_id, statement.customer_id))
    contradiction = "" if len(named) == 1 else f"mail {mail.id} names more than one customer"
    facts = StatementFacts(mail, statement.run, statement.customer, owed, contradiction=contradiction)
    facts.payable = [_part(facts, NOBODY, statement.run.merchant.currency)]
    return facts


def _part(facts: StatementFacts, request_id: UUID, currency: str) -> Facts:
    customer, run = facts.customer, facts.run
    return Facts(
        mail=facts.mail,
        run=ReminderRun(merchant=run.merchant, template=run.template, version=run.version),
        request_id=request_id,
        customer_id=customer.id,
        currency=currency,
        company_name=customer.company_name,
        today=facts.owed.today,
        language=facts.language,
    )


def _read_requests(facts: list[StatementFacts]) -> None:
    """Read what is still payable of what the buttons ask for; the merchant's own currency comes first."""
    by_mail = {fact.mail.id: fact for fact in facts}
    requests = StatementRequest.objects.filter(statement__mail_id__in=list(by_mail)).order_by("id")
    columns = requests.values_list("request_id", "request__currency", "statement__mail_id")
    parts = {
        request_id: (by_mail[mail_id], _part(by_mail[mail_id], request_id, currency))
        for request_id, currency, mail_id in columns
    }
    held = _held_invoices(facts)
    lines = PaymentRequestLine.objects.filter(
        request_id__in=list(parts), invoice__status=InvoiceStatus.OPEN, invoice__in_flight=0
    ).order_by("invoice__due_on", "invoice__number")
    names = ("request_id", "invoice__number", "invoice__due_on", "invoice__balance", "invoice_id")
    for request_id, *columns_of_row in lines.values_list(*names):
        row = Row(*columns_of_row)
        if row.id not in held:
            parts[request_id][1].rows.append(row)
    asked: dict[UUID, list[Facts]] = defaultdict(list)
    for fact, part in parts.values():
        if part.rows:
            asked[fact.mail.id].append(part)
    for fact in facts:
        own = fact.run.merchant.currency
        fact.payable = sorted(asked[fact.mail.id], key=lambda part: part.currency != own) or fact.payable


def _held_invoices(facts: list[StatementFacts]) -> set[UUID]:
    return {invoice_id for _, invoice_id in _holds(facts) if invoice_id}


def _read_holds(facts: list[StatementFacts]) -> None:
    held = {customer_id for customer_id, invoice_id in _holds(facts) if invoice_id is None}
    for fact in facts:
        fact.is_on_hold = fact.customer.id in held


def _holds(facts: list[StatementFacts]) -> list[tuple[UUID, UUID | None]]:
    days = {fact.customer.id: fact.owed.today for fact in facts}
    holds = Hold.objects.filter(customer_id__in=list(days), ended_at__isnull=True)
    columns = holds.values_list("customer_id", "invoice_id", "until")
    return [
        (customer_id, invoice_id)
        for customer_id, invoice_id, until in columns
        if until is None or until >= days[customer_id]
    ]
