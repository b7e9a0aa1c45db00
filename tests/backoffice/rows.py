"""A merchant with something of everything, for the tests of its pages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.test import Client

from payorcrm.backoffice.forms import FIRST_DAY
from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.customers.models import Contact, Customer, InvitationRun, Note, PortalAccess
from payorcrm.invoices.models import ImportFile, Invoice, InvoiceEvent, InvoiceEventKind, InvoiceFile, InvoiceStatus
from payorcrm.mail.models import Mail, MailState, Suppression
from payorcrm.merchants.models import Merchant, Role, Staff
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.models import Allocation, Payment, PaymentEvent, PaymentState
from payorcrm.reminders.compare_rehearsals import COUNTED
from payorcrm.reminders.models import DayRun, Hold, HoldReason, ReminderTemplate, Rule
from payorcrm.reminders.rehearsal_models import KeptRehearsal
from payorcrm.reminders.switch_rules import rules_of
from payorcrm.reminders.templates import version_of
from payorcrm.reminders.work_out_rehearsal import as_draft
from payorcrm.staff.models import AuditEntry, AuditKind, StaffInvitation
from payorcrm.staff.record_change import record_change
from payorcrm.statements.models import StatementRule, StatementRun
from tests.factories.models import (
    CustomerFactory,
    InvoiceFactory,
    MerchantFactory,
    PaymentMethodFactory,
    PortalAccessFactory,
    StaffFactory,
    UserFactory,
    usd,
)

_numbers = count(1)
COMPANIES = [
    "Bluewater Marine Supply",
    "Corvid & Sons",
    "Dunmore Print Works",
    "Eastgate Bakery",
    "Fenwick Outdoor Outfitters of Greater New England",
    "Granite State Roofing",
]


@dataclass(frozen=True)
class Shop:
    """One merchant and a row of each kind that its pages can name."""

    merchant: Merchant
    customer: Customer
    invoice: Invoice
    payment: Payment
    mail: Mail
    template: ReminderTemplate
    method: PaymentMethod
    access: PortalAccess
    run: InvitationRun
    note: Note
    contact: Contact
    file: ImportFile
    rule: Rule
    day_run: DayRun
    hold: Hold
    statement_rule: StatementRule
    statement_run: StatementRun
    invitation: StaffInvitation
    attached: InvoiceFile
    stop: Suppression

    def ids(self) -> dict[str, object]:
        """Return what stands in addresses, by the names of the URLconf."""
        return {
            "customer_id": self.customer.id,
            "invoice_id": self.invoice.id,
            "payment_id": self.payment.id,
            "mail_id": self.mail.id,
            "template_id": self.template.id,
            "method_id": self.method.id,
            "access_id": self.access.id,
            "run_id": self.run.id,
            "note_id": self.note.id,
            "contact_id": self.contact.id,
            "file_id": self.file.id,
            "rule_id": self.rule.id,
            "day_run_id": self.day_run.id,
            "hold_id": self.hold.id,
            "entry_id": make_entry(self.merchant).id,
            "statement_rule_id": self.statement_rule.id,
            "statement_run_id": self.statement_run.id,
            "staff_id": StaffFactory(merchant=self.merchant, role=Role.COLLECTOR).id,
            "invitation_id": self.invitation.id,
            "attached_id": self.attached.id,
            "suppression_id": self.stop.id,
            "rehearsal_id": make_change(self.rule).id,
        }


def make_shop(**fields: Any) -> Shop:
    """Make a merchant with one row of each kind."""
    merchant = MerchantFactory(**fields)
    customer = CustomerFactory(merchant=merchant)
    invoice = InvoiceFactory(customer=customer)
    template = make_template(merchant)
    statement_rule = StatementRule.objects.create(merchant=merchant, name="Monthly", template=template, month_day=31)
    return Shop(
        merchant=merchant,
        customer=customer,
        invoice=invoice,
        payment=make_payment(customer, invoices=[invoice]),
        mail=make_mail(customer),
        template=template,
        method=PaymentMethodFactory(customer=customer),
        access=PortalAccessFactory(customer=customer),
        run=InvitationRun.objects.create(merchant=merchant, started_at=present(), finished_at=present()),
        note=make_note(customer, UserFactory()),
        contact=Contact.objects.get(customer=customer),
        file=make_file(merchant),
        rule=rules_of(merchant)[0],
        day_run=DayRun.objects.create(merchant=merchant, **held_today()),
        statement_rule=statement_rule,
        statement_run=StatementRun.objects.create(
            merchant=merchant,
            rule=statement_rule,
            rule_name="Monthly",
            template=template,
            version=version_of(template),
            **held_today(),
        ),
        hold=Hold.objects.create(
            merchant=merchant, customer=customer, reason=HoldReason.PROMISE, until=FIRST_DAY, held_at=present()
        ),
        invitation=make_invitation(merchant),
        attached=make_attached(invoice),
        stop=make_stop(merchant, "gone@harbor.example"),
    )


def make_entry(merchant: Merchant) -> AuditEntry:
    """Write an entry of the audit log."""
    who: dict[str, Any] = {"merchant": merchant, "actor": UserFactory(), "address": None}
    return record_change(**who, kind=AuditKind.TEAM, says="Did something", now=present())


def make_change(rule: Rule) -> KeptRehearsal:
    """Keep a rehearsal of a rule that was changed to send nothing."""
    made: dict[str, Any] = {"merchant": rule.merchant, "asked_at": present(), "worked_out_at": present()}
    base, _ = KeptRehearsal.objects.get_or_create(fingerprint="now", merchant=rule.merchant, defaults=made)
    made |= {
        "compared_with": base,
        "draft": as_draft(rule) | {"is_written": False},
        "counts": dict.fromkeys(COUNTED, 0),
    }
    return KeptRehearsal.objects.get_or_create(fingerprint="then", merchant=rule.merchant, defaults=made)[0]


def held_today() -> dict[str, Any]:
    """Return what two kinds of runs have in common that wait for a person."""
    now = present()
    return {"day": day_in("America/New_York", now), "started_at": now, "state": "held", "held_because": "Big"}


def make_file(merchant: Merchant) -> ImportFile:
    """Make a file of customers that waits to be imported."""
    content = b"customerno,company\nC1,A"
    return ImportFile.objects.create(
        merchant=merchant, kind="customers", file_name="a.csv", content=content, uploaded_at=present()
    )


def make_invitation(merchant: Merchant) -> StaffInvitation:
    """Make an invitation to the staff that waits for an answer."""
    return StaffInvitation.objects.create(
        merchant=merchant,
        email="new@harbor.example",
        role=Role.VIEWER,
        mailed_at=present() - timedelta(hours=1),
        expires_at=present() + timedelta(days=6),
    )


def make_stop(merchant: Merchant, address: str, **fields: Any) -> Suppression:
    """Make a stop of mails to an address."""
    defaults = {"reason": "bounced", "note": "550 no such user", "suppressed_at": present()}
    return Suppression.objects.create(merchant=merchant, address=address, **defaults | fields)


def make_attached(invoice: Invoice, **fields: Any) -> InvoiceFile:
    """Make a file that is attached to an invoice."""
    defaults = {"file_name": "order.txt", "content_type": "text/plain", "content": b"Ordered.", "byte_count": 8}
    return InvoiceFile.objects.create(
        merchant=invoice.merchant, invoice=invoice, uploaded_at=present(), **defaults | fields
    )


def make_note(customer: Customer, author: User, **fields: Any) -> Note:
    """Make a note about a customer."""
    defaults = {"text": "Wants to pay on Friday.", "written_at": present()}
    return Note.objects.create(merchant=customer.merchant, customer=customer, author=author, **defaults | fields)


def make_template(merchant: Merchant, **fields: Any) -> ReminderTemplate:
    """Make the default template of a merchant."""
    body = "<p>Hello {{first_name}},</p><p>These invoices are overdue:</p>{{invoice_list}}{{payment_buttons}}"
    defaults = {"name": "Friendly", "subject": "Overdue: {{total_invoice_amount}}", "body": body, "is_default": True}
    return ReminderTemplate.objects.create(merchant=merchant, **defaults | fields)


def make_mail(customer: Customer, **fields: Any) -> Mail:
    """Make a mail to a customer."""
    defaults = {
        "kind": "reminder",
        "to_address": "jo@acme.example",
        "subject": "Overdue: $120.00",
        "state": MailState.SENT,
        "queued_at": present(),
        "send_after": present(),
    }
    return Mail.objects.create(merchant=customer.merchant, customer=customer, **defaults | fields)


def make_payment(customer: Customer, *, invoices: list[Invoice] | None = None, **fields: Any) -> Payment:
    """Make a payment row with its time line; the books are left alone, for pages only read."""
    number = next(_numbers)
    method = fields.pop("method", None)
    if method is None and "offline_kind" not in fields:
        method = PaymentMethodFactory(customer=customer, saved_at=None, consent_text="")
    defaults = {
        "method": method,
        "gateway": "sandbox",
        "reference": f"PAY-{number:04}-9QXD-4T",
        "idempotency_key": f"key-{number}",
        "gateway_reference": f"ch_{number:06}",
        "amount": usd("120.00").minor,
        "currency": "USD",
        "state": PaymentState.SUCCEEDED,
        "submitted_at": present() - timedelta(hours=number),
    }
    payment = Payment.objects.create(merchant=customer.merchant, customer=customer, **defaults | fields)
    _tell(payment, payment.submitted_at)
    for invoice in invoices or []:
        Allocation.objects.create(
            merchant=customer.merchant,
            payment=payment,
            invoice=invoice,
            customer_id=customer.id,
            amount=invoice.total,
            currency=invoice.currency,
        )
    return payment


def _tell(payment: Payment, at: datetime) -> None:
    steps = (
        [PaymentState.SUBMITTING]
        if payment.state == PaymentState.SUBMITTING
        else [PaymentState.SUBMITTING, payment.state]
    )
    for minutes, state in enumerate(steps):
        PaymentEvent.objects.create(
            merchant=payment.merchant, payment=payment, state=state, at=at + timedelta(minutes=minutes), note="Noted"
        )


def fill(shop: Shop) -> None:
    """Add customers, invoices in every standing, payments in every state and mails that failed."""
    today = day_in("America/New_York", present())
    for place, company in enumerate(COMPANIES):
        customer = CustomerFactory(merchant=shop.merchant, company_name=company)
        _invoices(customer, today, place)
        bank = PaymentMethodFactory(customer=customer, bank=True)
        for step, state in enumerate(PaymentState):
            if (step + place) % 3 == 0:
                make_payment(customer, state=state, method=bank if step % 2 else None, **_facts_of(state))
        make_mail(customer, state=list(MailState)[place], last_error="550 no such mailbox" if place > 3 else "")
    PortalAccessFactory(customer=shop.customer)
    PaymentMethodFactory(customer=shop.customer)
    PaymentMethodFactory(customer=shop.customer, bank=True)


def _invoices(customer: Customer, today: Any, place: int) -> None:
    for days, amount in ((-20, "1150.00"), (12, "2480.50"), (75, "318.25"), (140, "12905.10")):
        InvoiceFactory(customer=customer, due_on=today - timedelta(days=days + place), amount=usd(amount))
    InvoiceFactory(customer=customer, in_flight=5000, amount=usd("50.00"))
    InvoiceFactory(customer=customer, status=InvoiceStatus.DRAFT)
    paid = InvoiceFactory(customer=customer, status=InvoiceStatus.PAID, balance=0, amount=usd("99.00"))
    InvoiceEvent.objects.create(
        merchant=customer.merchant,
        invoice=paid,
        kind=InvoiceEventKind.SETTLED_ELSEWHERE,
        at=present(),
        amount=Money.parse("99.00", "USD").minor,
        note="The file said so.",
    )


def _facts_of(state: PaymentState) -> dict[str, object]:
    if state == PaymentState.DECLINED:
        return {"decline_code": "insufficient_funds", "decline_message": "51: insufficient funds"}
    if state == PaymentState.RETURNED:
        return {"return_code": "R01", "returned_at": present(), "settled_at": present() - timedelta(days=2)}
    return {"settled_at": present()} if state == PaymentState.SUCCEEDED else {}


def client_of(merchant: Merchant, role: Role = Role.OWNER) -> Client:
    """Return a browser in which a member of the staff is signed in."""
    staff: Staff = StaffFactory(merchant=merchant, role=role)
    client = Client()
    client.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
