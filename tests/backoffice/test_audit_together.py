"""What a POST of the back office changes and the entry about it stand together or not at all, at every address."""

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InternalError, connection, transaction
from django.test import Client
from django.urls import reverse

from payorcrm.backoffice.audit_labels import ACTIONS
from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.customers.change_customer import facts_of
from payorcrm.customers.models import Contact
from payorcrm.invoices.import_kept_file import run_import
from payorcrm.invoices.models import ImportFile
from payorcrm.mail.models import MailState
from payorcrm.merchants.models import Setup
from payorcrm.payments.models import OfflineKind, Payment
from payorcrm.payments.reallocate import fingerprint_of
from payorcrm.payments.record_offline import OfflineMoney, record_offline
from payorcrm.reminders.models import Hold
from payorcrm.reminders.templates import save_template
from payorcrm.staff.models import AuditEntry
from tests.backoffice.rows import Shop, client_of, make_shop
from tests.backoffice.test_access import FORMS, PATTERNS, address
from tests.backoffice.test_new_invoice import EMPTY_LINES, FACTS
from tests.backoffice.test_refunds import pay
from tests.backoffice.test_second_factor import owner_with_app
from tests.factories.models import CustomerFactory, GatewayAccountFactory, InvoiceFactory, MerchantFactory, usd
from tests.invoices.kit import pdf_upload
from tests.reminders.rules import hold

pytestmark = pytest.mark.django_db
BY_NAME = {str(pattern.name): pattern for pattern in PATTERNS}
CALL_A_PROCESSOR = {"payment_cancel", "gateway_connect", "gateway_connect_test"}
TEXT = {"name": "Mine", "subject": "Hello", "body": "<p>Hello</p>{{invoice_list}}{{payment_buttons}}"}
RULE = {"name": "Two weeks", "joint:": "all", "act": "save", "if:0": "overdue_exactly", "a:0": "14"}
SCHEDULE = {"send_at": "23:30", "weekdays": ["0"], "min_days_between": "2", "brake_factor": "3"}
FAR = date(2999, 1, 1)
NEW_INVOICES = "num,customerno,amount,duedate\nI1,C1,100.00,2026-12-01\n"

# Tables of sessions and of the log itself are left out.
TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
   AND relname NOT IN ('django_session', 'usersessions_usersession', 'staff_auditentry') ORDER BY relname"""
REFUSING = """
CREATE FUNCTION refuse_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('tests.refuses_entries', true) = 'yes' THEN
    RAISE EXCEPTION 'no entry' USING ERRCODE = 'XX000';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse_entries BEFORE INSERT ON staff_auditentry FOR EACH ROW EXECUTE FUNCTION refuse_entries()"""


@pytest.fixture
def picture(db: None) -> Callable[[], dict[str, str]]:
    """Return a function that says what is in each table; entries can be refused by `refuse`."""
    with connection.cursor() as cursor:
        cursor.execute(REFUSING)
        cursor.execute(TABLES)
        parts = [
            f"SELECT '{table}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{table}\" t"
            for (table,) in cursor.fetchall()
        ]

    def take() -> dict[str, str]:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts))
            return dict(cursor.fetchall())

    return take


def refuse(answer: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tests.refuses_entries', %s, false)", [answer])


def mistake_of(says: str, post: Callable[[], Any], picture: Callable[[], dict[str, str]]) -> str:
    """Return what is wrong: with a POST: no change may be without its entry."""
    before, count = picture(), AuditEntry.objects.count()
    refuse("yes")
    try:
        post()
    except InternalError:
        if changed := {table for table, rows in picture().items() if before[table] != rows}:
            return f"changed {changed} without its entry"
    else:
        return "wrote no entry"
    refuse("no")
    answer = post()
    if picture() == before:
        return f"changed nothing: {answer.status_code}"
    first = AuditEntry.objects.order_by("id")[count : count + 1].get()
    return "" if first.says == says else f"said {first.says}"


def test_every_post_and_its_entry_are_one_transaction(picture):
    shop = make_shop()
    client = owner_with_app(shop)
    shop.note.author = shop.merchant.staff.get().user
    shop.note.save()
    wrong: dict[str, str] = {}

    for name in sorted(set(ACTIONS) - CALL_A_PROCESSOR):
        before = transaction.savepoint()
        ids, form = prepared(name, shop)
        place = address(BY_NAME[name], shop, slug=shop.merchant.slug)
        for old, new in ids.items():
            place = place.replace(str(old), str(new))
        if problem := mistake_of(ACTIONS[name].says, partial(send, client, place, form), picture):
            wrong[name] = problem
        transaction.savepoint_rollback(before)

    assert wrong == {}


def test_what_a_processor_is_asked_and_its_entry_are_one_transaction(picture, merchant, saved):
    payment, known = pay(merchant, saved, number="000123456789", bank=True), merchant.gateway_accounts.get()
    keys = {name: getattr(known, name) for name in ("public_key", "secret_key", "webhook_secret")}
    posts = {
        "payment_cancel": (merchant, [payment.id], {"reason": "Wrong account"}),
        "gateway_connect": (MerchantFactory(), [], {"gateway": "sandbox", **keys}),
        "gateway_connect_test": (MerchantFactory(), [], {"gateway": "sandbox"}),
    }
    wrong: dict[str, str] = {}

    for name, (asker, ids, form) in posts.items():
        place, client = reverse(f"backoffice:{name}", args=[asker.slug, *ids]), client_of(asker)
        if problem := mistake_of(ACTIONS[name].says, partial(client.post, place, form), picture):
            wrong[name] = problem

    assert set(posts) == CALL_A_PROCESSOR
    assert wrong == {}


def send(client: Client, place: str, form: dict[str, Any]) -> Any:
    """Post a form; files are made anew, for a post reads them to their end."""
    return client.post(place, {key: value() if callable(value) else value for key, value in form.items()})


def prepared(name: str, shop: Shop) -> tuple[dict[object, object], dict[str, Any]]:
    """Return other ids for the address, if any, and a form that changes something."""
    prepare = PREPARED.get(name)
    return prepare(shop) if prepare else ({}, {**FORMS, **PLAIN}.get(name, {}))


Prepared = tuple[dict[object, object], dict[str, Any]]


def with_ada(shop: Shop) -> Prepared:
    """A further person at the customer, whom the address names."""
    names = {"first_name": "Ada", "email": "ada@acme.example"}
    ada = Contact.objects.create(merchant=shop.merchant, customer=shop.customer, **names)
    return {shop.contact.id: ada.id}, {}


def with_cheque(shop: Shop, form: Callable[[Payment], dict[str, Any]]) -> Prepared:
    """A payment that came offline and of which a part is unapplied."""
    invoice = InvoiceFactory(customer=shop.customer, amount=usd("50.00"))
    today = day_in(shop.merchant.time_zone, present())
    money = OfflineMoney(uuid.uuid4(), shop.customer, OfflineKind.CHEQUE, "7", today, usd("80.00"), {invoice.id: 5000})
    payment = record_offline(money=money, now=present())
    return {shop.payment.id: payment.id}, form(payment)


def applied(payment: Payment) -> dict[str, Any]:
    late = InvoiceFactory(customer=payment.customer, amount=usd("30.00"))
    return {"seen": fingerprint_of(payment), f"part-{late.id}": "30.00"}


def with_invoice(shop: Shop, **form: str) -> Prepared:
    """An invoice of which nothing was paid, and nothing on hold."""
    Hold.objects.all().delete()
    invoice = InvoiceFactory(customer=shop.customer)
    return {shop.invoice.id: invoice.id}, {"invoice": str(invoice.id), **form}


def with_hold(shop: Shop) -> Prepared:
    """A customer on hold."""
    hold(shop.customer, until=FAR)
    return {}, {"customer": str(shop.customer.id)}


def with_short_hold(shop: Shop) -> Prepared:
    """A dispute that is looked at again tomorrow."""
    tomorrow = day_in(shop.merchant.time_zone, present()) + timedelta(days=1)
    return {shop.hold.id: hold(shop.customer, until=tomorrow).id}, {}


def with_held_invoice(shop: Shop) -> Prepared:
    """An invoice on hold."""
    hold(shop.customer, invoice=shop.invoice, until=FAR)
    return {}, {"invoice": str(shop.invoice.id)}


def with_document(shop: Shop) -> Prepared:
    """A PDF of the merchant's own in place of a drawn one."""
    client = owner_with_app(shop)
    client.post(reverse("backoffice:document_keep", args=[shop.merchant.slug, shop.invoice.id]), {"file": pdf_upload()})
    return {}, {}


def with_import(shop: Shop) -> Prepared:
    """Invoices that were imported, and nothing done with them."""
    CustomerFactory(merchant=shop.merchant, number="C1")
    file = ImportFile.objects.create(
        merchant=shop.merchant,
        kind="invoices",
        file_name="b.csv",
        content=NEW_INVOICES.encode(),
        uploaded_at=present(),
        state="running",
    )
    run_import(file.id, now=present())
    return {shop.file.id: file.id}, {}


def with_failed_mail(shop: Shop) -> Prepared:
    """A mail that nobody got."""
    shop.mail.state = MailState.FAILED
    shop.mail.save()
    return {}, {}


def with_second_template(shop: Shop, **form: str) -> Prepared:
    """A template that is not the default, with a text in Spanish."""
    other = shop.template
    made = type(other).objects.create(merchant=shop.merchant, name="Second", subject=other.subject, body=other.body)
    save_template(made, **TEXT | {"name": "Second", "language": "es", "based_on": None}, saved_by=None)
    return {other.id: made.id}, form


def with_checklist(shop: Shop, **form: str) -> Prepared:
    """A merchant who has not closed the checklist."""
    Setup.objects.get_or_create(merchant=shop.merchant)
    return {}, form


def with_factor_required(shop: Shop) -> Prepared:
    """A merchant who requires a second factor."""
    shop.merchant.requires_second_factor = True
    shop.merchant.save()
    return {}, {"to": "off"}


def with_processor(shop: Shop) -> Prepared:
    """A processor on which nothing hangs."""
    GatewayAccountFactory(merchant=shop.merchant)
    shop.method.removed_at = present()
    shop.method.save()
    return {}, {"gateway": "sandbox"}


def with_unchosen_processor(shop: Shop) -> Prepared:
    """A processor that no new card goes to yet."""
    GatewayAccountFactory(merchant=shop.merchant)
    return {}, {"cards": "sandbox", "accounts": "sandbox"}


PLAIN: dict[str, dict[str, Any]] = {
    "customer_contact": {"first_name": "Jo", "email": "jo.new@acme.example"},
    "customer_new": {"company_name": "Rope Works", "emails": "jo@rope.example"},
    "contact_add": {"first_name": "Ada", "email": "ada@acme.example"},
    "contact_change": {"first_name": "Ada", "email": "ada@acme.example"},
    "note_write": {"text": "Called."},
    "note_change": {"text": "Called again."},
    "import_upload": {
        "kind": "customers",
        "file": lambda: SimpleUploadedFile("a.csv", b"customerno,companyname\nC1,A"),
    },
    "import_columns": {"column_0": "customer number", "column_1": "company name"},
    "import_preview": {"version": "0"},
    "document_keep": {"file": pdf_upload},
    "invoice_file_attach": {"attached": lambda: SimpleUploadedFile("b.txt", b"Ordered.")},
    "rule_move": {"to": "down"},
    "rule_switch": {"to": "on"},
    "schedule": SCHEDULE,
    "day_run_decide": {"decision": "drop"},
    "statement_rule_switch": {"to": "on"},
    "statement_run_decide": {"decision": "drop"},
    "template_new": {"start": "final"},
    "template": TEXT,
    "template_test": TEXT,
    "settings_company": FORMS["settings_company"] | {"address": "1 Quay Street"},
    "sender": {"from_name": "Harbor", "port": "587", "security": "always"},
    "team": {"email": "cay@harbor.example", "role": "viewer"},
    "team_member": {"role": "viewer"},
}
PREPARED: dict[str, Callable[[Shop], Prepared]] = {
    "customer_change": lambda shop: (
        {},
        {"company_name": "Rope Works", "number": "R-1", "seen": json.dumps(asdict(facts_of(shop.customer)))},
    ),
    "contact_remove": with_ada,
    "contact_primary": with_ada,
    "offline_record": lambda shop: (
        {},
        {
            "key": str(uuid.uuid4()),
            "kind": "cheque",
            "received_on": str(day_in(shop.merchant.time_zone, present())),
            "amount": "20",
            "currency": "USD",
            f"part-{shop.invoice.id}": "20.00",
        },
    ),
    "payment_refund": lambda shop: with_cheque(
        shop,
        lambda _: {
            "key": str(uuid.uuid4()),
            "seen": "0",
            "amount": "10",
            "reason": "Goods",
            "then": "owed",
            "invoice": "",
        },
    ),
    "payment_reverse": lambda shop: with_cheque(shop, lambda _: {"reason": "Bounced"}),
    "payment_apply": lambda shop: with_cheque(shop, applied),
    "import_undo": with_import,
    "document_remove": with_document,
    "invoice_new": lambda shop: ({}, EMPTY_LINES | FACTS | {"customer": str(shop.customer.id)}),
    "invoice_void": lambda shop: with_invoice(shop, note="Sent twice"),
    "invoices_void": lambda shop: with_invoice(shop, note="Sent twice"),
    "invoices_remind": lambda shop: with_invoice(shop, min_days_overdue="1", template=str(shop.template.id)),
    "invoices_hold": lambda shop: with_invoice(shop, reason="dispute"),
    "invoices_end_holds": with_held_invoice,
    "customers_hold": lambda shop: (
        {},
        {"customer": str(CustomerFactory(merchant=shop.merchant).id), "reason": "dispute"},
    ),
    "customers_end_holds": with_hold,
    "mail_again": with_failed_mail,
    "reminders_send": lambda shop: with_invoice(
        shop, customer=str(shop.customer.id), min_days_overdue="1", template=str(shop.template.id)
    ),
    "rule_new": lambda shop: ({}, RULE | {"template": str(shop.template.id)}),
    "rule": lambda shop: ({}, RULE | {"template": str(shop.template.id)}),
    "statement_rule_new": lambda shop: (
        {},
        {"name": "Weekly", "template": str(shop.template.id), "day": "w0", "act": "save"},
    ),
    "statement_rule": lambda shop: (
        {},
        {"name": "Weekly", "template": str(shop.template.id), "day": "w0", "act": "save"},
    ),
    "customer_statement": with_invoice,
    "template_default": with_second_template,
    "template_delete": with_second_template,
    "template_text_remove": lambda shop: with_second_template(shop, language="es"),
    "template_restore": lambda shop: with_second_template(shop, number="1"),
    "setup_skip": lambda shop: with_checklist(shop, step="look"),
    "setup_close": with_checklist,
    "gateway_disconnect": with_processor,
    "second_factor_switch": with_factor_required,
    "hold_prolong": with_short_hold,
    "gateway_choose": with_unchosen_processor,
}
