"""What each address of the back office does when it is posted to, as the audit log says it. A test walks them all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BinaryField, Model

from payorcrm.customers.models import Contact, Customer, InvitationRun, Note, PortalAccess
from payorcrm.invoices.models import ImportFile, Invoice, InvoiceFile
from payorcrm.mail.models import Mail, MailSender, Suppression
from payorcrm.merchants.models import GatewayAccount, Merchant, Staff
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.models import Payment
from payorcrm.payments.write_down import Sums, sums_of
from payorcrm.reminders.models import DayRun, Hold, ReminderTemplate, Rule, Schedule
from payorcrm.reminders.rehearsal_models import KeptRehearsal
from payorcrm.staff.models import AuditEntry, AuditKind, StaffInvitation
from payorcrm.statements.models import StatementRule, StatementRun

Ids = Mapping[str, Any]
Rows = Callable[[Merchant, Ids], Iterable[Model | None]]


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of row that an address names, and how people call one."""

    model: type[Model]
    words: Callable[[Any], str] = str

    def find(self, merchant: Merchant, row_id: Any) -> Model | None:
        """Return the merchant's row, or none."""
        pictures = [column.name for column in self.model._meta.concrete_fields if type(column) is BinaryField]
        return self.model._default_manager.defer(*pictures).filter(merchant=merchant.pk, pk=row_id).first()


SUBJECTS: dict[str, Subject] = {
    "customer_id": Subject(Customer),
    "invoice_id": Subject(Invoice, lambda invoice: f"Invoice {invoice.number}"),
    "payment_id": Subject(Payment, lambda payment: f"Payment {payment.reference}"),
    "mail_id": Subject(Mail, lambda mail: f"Mail to {mail.to_address}"),
    "template_id": Subject(ReminderTemplate),
    "method_id": Subject(PaymentMethod, lambda method: f"{method} of {method.customer}"),
    "run_id": Subject(InvitationRun, lambda run: f"Invitations of {run.started_at:%Y-%m-%d}"),
    "access_id": Subject(PortalAccess, lambda access: str(access.user)),
    "contact_id": Subject(Contact, lambda contact: f"{contact}, {contact.customer}"),
    "note_id": Subject(Note, lambda note: str(note.customer)),
    "file_id": Subject(ImportFile, lambda file: file.file_name),
    "rule_id": Subject(Rule),
    "day_run_id": Subject(DayRun, lambda run: f"Run of {run.day}"),
    "staff_id": Subject(Staff, lambda staff: f"{staff.user}, {staff.user.email}"),
    "invitation_id": Subject(StaffInvitation),
    "attached_id": Subject(InvoiceFile),
    "statement_rule_id": Subject(StatementRule),
    "statement_run_id": Subject(StatementRun, lambda run: f"Statements of {run.day}"),
    "suppression_id": Subject(Suppression),
    "rehearsal_id": Subject(KeptRehearsal, lambda kept: f"Rehearsal of {kept.asked_at:%Y-%m-%d}"),
    "entry_id": Subject(AuditEntry, lambda entry: entry.says),
    "hold_id": Subject(Hold, lambda hold: f"{hold.get_reason_display()}, {hold.customer}"),
}


def named(id_name: str) -> Rows:
    """Compare the row that the address names."""
    return lambda merchant, ids: [SUBJECTS[id_name].find(merchant, ids[id_name])]


def the_merchant(merchant: Merchant, ids: Ids) -> Iterable[Model | None]:
    """Compare the merchant itself."""
    return [Merchant.objects.defer("logo").get(pk=merchant.pk)]


def the_schedule(merchant: Merchant, ids: Ids) -> Iterable[Model | None]:
    """Compare when rules send."""
    return [Schedule.objects.filter(merchant=merchant.pk).first()]


def the_sender(merchant: Merchant, ids: Ids) -> Iterable[Model | None]:
    """Compare who mails come from."""
    return [MailSender.objects.filter(merchant=merchant.pk).first()]


def the_contact(merchant: Merchant, ids: Ids) -> Iterable[Model | None]:
    """Compare a customer's address on file."""
    return [
        Contact.objects.filter(customer=ids["customer_id"], customer__merchant=merchant.pk, is_primary=True).first()
    ]


def the_contacts_of_one(merchant: Merchant, ids: Ids) -> Iterable[Model | None]:
    """Compare the address on file of the customer whom a contact belongs to."""
    customers = Contact.objects.filter(merchant=merchant.pk, id=ids["contact_id"]).values("customer")
    return [Contact.objects.filter(customer__in=customers, is_primary=True).first()]


def the_gateways(merchant: Merchant, ids: Ids) -> Iterable[Model | None]:
    """Compare the connections to processors."""
    return GatewayAccount.objects.filter(merchant=merchant.pk).order_by("gateway")


def money_of_customer(merchant: Merchant, ids: Ids) -> Sums:
    """Compare what a customer's invoices owe, and what is unapplied."""
    customer = Customer.objects.filter(merchant=merchant, id=ids["customer_id"]).first()
    return sums_of(customer) if customer else {}


def money_of_payment(merchant: Merchant, ids: Ids) -> Sums:
    """Compare what the invoices of a payment's customer owe, what is unapplied, and what the payment pays."""
    payments = Payment.objects.filter(merchant=merchant, id=ids["payment_id"]).select_related("customer")
    return sums_of(payment.customer, payment) if (payment := payments.first()) else {}


@dataclass(frozen=True, slots=True)
class Action:
    """What a POST did. The entry says what was before and after of `rows` and `sums`.

    Apart are views that call the network, or stay on their page: the entry is written in a transaction of their own.
    """

    kind: AuditKind
    says: str
    rows: Rows | None = None
    sums: Callable[[Merchant, Ids], Sums] | None = None
    is_apart: bool = False
    # A field of the form that says what it was about.
    quotes: str = ""


SETTINGS, TEAM, CUSTOMERS, INVOICES = AuditKind.SETTINGS, AuditKind.TEAM, AuditKind.CUSTOMERS, AuditKind.INVOICES
PAYMENTS, REMINDERS, MAILS = AuditKind.PAYMENTS, AuditKind.REMINDERS, AuditKind.MAILS

ADDED_BY_HAND = "Added a customer by hand"
CHANGED = "Changed a customer"
ACTIONS: dict[str, Action] = {
    "customer_new": Action(CUSTOMERS, ADDED_BY_HAND, quotes="company_name"),
    "customer_change": Action(CUSTOMERS, CHANGED, named("customer_id")),
    "customer_contact": Action(CUSTOMERS, "Changed the address on file", the_contact),
    "contact_add": Action(CUSTOMERS, "Added a contact", quotes="email"),
    "contact_change": Action(CUSTOMERS, "Changed a contact", named("contact_id")),
    "contact_remove": Action(CUSTOMERS, "Removed a contact", named("contact_id")),
    "contact_primary": Action(CUSTOMERS, "Changed whose address is on file", the_contacts_of_one),
    "note_write": Action(CUSTOMERS, "Wrote a note"),
    "note_change": Action(CUSTOMERS, "Changed a note", named("note_id")),
    "note_delete": Action(CUSTOMERS, "Deleted a note", named("note_id")),
    "user_remove": Action(CUSTOMERS, "Ended a user's access to the portal", named("access_id")),
    "invite": Action(CUSTOMERS, "Invited customers to the portal"),
    "invite_test": Action(MAILS, "Sent a test invitation"),
    "view_as": Action(CUSTOMERS, "Looked at the portal as the customer"),
    "method_remove": Action(PAYMENTS, "Removed a saved payment method", named("method_id")),
    "offline_record": Action(PAYMENTS, "Recorded an offline payment", sums=money_of_customer, quotes="amount"),
    "payment_refund": Action(PAYMENTS, "Asked for a refund", named("payment_id"), is_apart=True),
    "payment_cancel": Action(PAYMENTS, "Asked to cancel a payment", named("payment_id"), is_apart=True),
    "payment_reverse": Action(PAYMENTS, "Reversed an offline payment", named("payment_id"), money_of_payment),
    "payment_apply": Action(PAYMENTS, "Applied a payment to other invoices", sums=money_of_payment),
    "import_upload": Action(INVOICES, "Uploaded a file to import"),
    "import_columns": Action(INVOICES, "Chose the columns of an import"),
    "import_preview": Action(INVOICES, "Started an import"),
    "import_undo": Action(INVOICES, "Undid an import"),
    "document_keep": Action(INVOICES, "Attached a PDF"),
    "document_remove": Action(INVOICES, "Removed a PDF"),
    "invoice_new": Action(INVOICES, "Entered an invoice", quotes="number"),
    "invoice_due_date": Action(INVOICES, "Changed a due date", named("invoice_id")),
    "invoice_note": Action(INVOICES, "Wrote a note on an invoice"),
    "invoice_void": Action(INVOICES, "Voided an invoice", named("invoice_id")),
    "invoice_file_attach": Action(INVOICES, "Attached a file"),
    "invoice_file_remove": Action(INVOICES, "Removed a file"),
    "invoices_void": Action(INVOICES, "Voided invoices"),
    "invoices_remind": Action(REMINDERS, "Sent reminders about invoices"),
    "invoices_hold": Action(REMINDERS, "Held reminders about invoices"),
    "invoices_end_holds": Action(REMINDERS, "Ended holds on invoices"),
    "customers_hold": Action(REMINDERS, "Held reminders to customers"),
    "customers_end_holds": Action(REMINDERS, "Ended holds on customers"),
    "stop_lift": Action(MAILS, "Allowed mails to an address again", named("suppression_id")),
    "mail_again": Action(MAILS, "Sent a mail again", named("mail_id")),
    "reminders_send": Action(REMINDERS, "Sent reminders"),
    "rule": Action(REMINDERS, "Changed a rule", named("rule_id")),
    "rule_new": Action(REMINDERS, "Made a rule", quotes="name"),
    "rule_copy": Action(REMINDERS, "Copied a rule"),
    "rule_move": Action(REMINDERS, "Moved a rule"),
    "rule_remove": Action(REMINDERS, "Removed a rule", named("rule_id")),
    "rule_switch": Action(REMINDERS, "Switched a rule", named("rule_id")),
    "schedule": Action(REMINDERS, "Changed the schedule", the_schedule),
    "day_run_decide": Action(REMINDERS, "Decided about a held run", named("day_run_id")),
    "statement_rule_new": Action(REMINDERS, "Made a rule of statements", quotes="name"),
    "statement_rule": Action(REMINDERS, "Changed a rule of statements", named("statement_rule_id")),
    "statement_rule_switch": Action(REMINDERS, "Switched a rule of statements", named("statement_rule_id")),
    "statement_rule_delete": Action(REMINDERS, "Deleted a rule of statements", named("statement_rule_id")),
    "statement_run_decide": Action(REMINDERS, "Decided about held statements", named("statement_run_id")),
    "customer_statement": Action(MAILS, "Sent a statement"),
    "hold_customer": Action(REMINDERS, "Held reminders to a customer"),
    "hold_invoice": Action(REMINDERS, "Held reminders about an invoice"),
    "hold_end": Action(REMINDERS, "Ended a hold"),
    "hold_prolong": Action(REMINDERS, "Prolonged a hold", named("hold_id")),
    "template": Action(REMINDERS, "Changed a template", named("template_id")),
    "setup_skip": Action(SETTINGS, "Passed over a step of the checklist, or took it up again"),
    "setup_close": Action(SETTINGS, "Closed the checklist"),
    "setup_test": Action(MAILS, "Sent a test reminder to oneself"),
    "template_new": Action(REMINDERS, "Made a template", quotes="name"),
    "template_copy": Action(REMINDERS, "Copied a template"),
    "template_default": Action(REMINDERS, "Made a template the default", named("template_id")),
    "template_delete": Action(REMINDERS, "Deleted a template", named("template_id")),
    "template_text_remove": Action(REMINDERS, "Removed a language of a template", named("template_id")),
    "template_restore": Action(REMINDERS, "Used an earlier version of a template again", named("template_id")),
    "template_test": Action(MAILS, "Sent a test of a template", is_apart=True),
    "settings_company": Action(SETTINGS, "Changed the company's settings", the_merchant),
    "settings_branding": Action(SETTINGS, "Changed logo or colour", the_merchant),
    "gateway_connect": Action(SETTINGS, "Connected a payment processor", the_gateways, is_apart=True),
    "gateway_connect_test": Action(
        SETTINGS, "Connected a test account of a payment processor", the_gateways, is_apart=True
    ),
    "gateway_choose": Action(SETTINGS, "Chose where new cards and bank accounts go", the_gateways),
    "gateway_disconnect": Action(SETTINGS, "Disconnected a payment processor", the_gateways),
    "settings_portal": Action(SETTINGS, "Changed the portal's settings", the_merchant),
    "sender": Action(SETTINGS, "Changed the mail sender", the_sender, is_apart=True),
    "sender_trial": Action(MAILS, "Sent a trial mail"),
    "team": Action(TEAM, "Invited a colleague", quotes="email"),
    "team_member": Action(TEAM, "Changed a role", named("staff_id")),
    "team_reset": Action(TEAM, "Reset a colleague's second factor"),
    "second_factor_switch": Action(TEAM, "Changed whether a second factor is required", the_merchant),
    "team_remove": Action(TEAM, "Removed somebody from the team", named("staff_id")),
    "staff_invitation_again": Action(TEAM, "Sent an invitation again"),
    "staff_invitation_withdraw": Action(TEAM, "Withdrew an invitation", named("invitation_id")),
}
# What the time line of a customer takes from the log; the rest it knows from the rows themselves.
TOLD_OF_CUSTOMERS = {
    ACTIONS[name].says
    for name in (
        "customer_change",
        "customer_contact",
        "contact_add",
        "contact_change",
        "contact_remove",
        "contact_primary",
        "hold_prolong",
    )
}
# A POST to these shows something and changes nothing.
CHANGES_NOTHING = {"template_check", "template_preview"}
