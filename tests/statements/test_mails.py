"""Statements as customers get them: all that is owed, the PDF, the buttons; or nothing where nothing is owed."""

import io
from datetime import timedelta
from html import unescape

import pytest
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from payorcrm.customers.change_contact import Person, change_contact
from payorcrm.customers.unsubscribe import end_reminders
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.mail.models import Mail, MailState, SuppressionReason
from payorcrm.mail.suppress import suppress
from payorcrm.payments.links import read_payment_token
from payorcrm.reminders.hold import put_on_hold
from payorcrm.reminders.models import HoldReason
from payorcrm.reminders.templates import save_template
from payorcrm.statements.mails import compose_statements
from payorcrm.statements.models import StatementRequest
from payorcrm.statements.send import send_statement
from payorcrm.statements.templates import statement_template
from tests.factories.due_runs import run_due_statements
from tests.factories.inbox import html_of, links_in, text_of
from tests.factories.models import (
    NOW,
    TODAY,
    CustomerFactory,
    InvoiceFactory,
    MerchantFactory,
    PaymentMethodFactory,
    usd,
)
from tests.factories.outbox import deliver, deliver_while
from tests.factories.smtp import ScriptedServer
from tests.statements.rules import make_rule

pytestmark = pytest.mark.django_db


def pdf_of(mail):
    (part,) = mail.iter_attachments()
    pages = PdfReader(io.BytesIO(part.get_content())).pages
    return part.get_filename(), " ".join(page.extract_text() for page in pages)


def buttons_in(mail):
    tokens = [read_payment_token(link.split("/")[-2]) for link in links_in(mail) if "/pay/" in link]
    return [(token.request_id, token.choice) for token in tokens]


def test_a_statement_says_what_is_owed_by_age_and_has_the_pdf_and_the_buttons(server: ScriptedServer):
    customer = CustomerFactory(company_name="Cool Cars")
    card = PaymentMethodFactory(customer=customer)
    InvoiceFactory(customer=customer, number="43250", amount=usd("1000.00"))
    InvoiceFactory(customer=customer, number="43999", amount=usd("50.50"), due_on=TODAY + timedelta(days=9))
    make_rule(customer.merchant)

    (run,) = run_due_statements(now=NOW)
    deliver()

    (mail,) = server.mails
    request = StatementRequest.objects.get()
    assert (run.mail_count, mail["Subject"]) == (1, "Your statement: $1,050.50")
    assert buttons_in(mail) == [(request.request_id, choice) for choice in (str(card.id), "card", "bank")]
    assert {line.invoice.number for line in request.request.lines.all()} == {"43250", "43999"}
    text, html = text_of(mail), unescape(html_of(mail))
    for words in ("Not due yet", "$50.50", "1–30 days", "$1,000.00", "Total owed", "$1,050.50", "43250", "Cool Cars"):
        assert words in text
        assert words in html
    assert "61–90 days" not in text
    assert "{{" not in html + text
    name, pdf = pdf_of(mail)
    assert name == "Statement 2026-11-20.pdf"
    assert "43999" in pdf
    assert "List-Unsubscribe" in mail


def test_one_mail_has_all_currencies_each_with_its_own_buttons(server: ScriptedServer):
    customer = CustomerFactory()
    InvoiceFactory(customer=customer, amount=usd("10.00"))
    InvoiceFactory(customer=customer, amount=usd("20.00"), currency="EUR")
    make_rule(customer.merchant)

    run_due_statements(now=NOW)
    deliver()

    (mail,) = server.mails
    assert mail["Subject"] == "Your statement: $10.00 + €20.00"
    by_currency = {each.request.currency: each.request_id for each in StatementRequest.objects.all()}
    assert buttons_in(mail) == [
        (by_currency["USD"], "card"),
        (by_currency["USD"], "bank"),
        (by_currency["EUR"], "card"),
    ]


def test_a_customer_reads_it_in_spanish(server: ScriptedServer):
    customer = CustomerFactory(language="es")
    InvoiceFactory(customer=customer, amount=usd("10.00"))
    make_rule(customer.merchant)

    run_due_statements(now=NOW)
    deliver()

    (mail,) = server.mails
    assert mail["Subject"].startswith("Su estado de cuenta: ")
    assert "Total owed" not in text_of(mail)
    assert "Estado de cuenta" in pdf_of(mail)[1]


def pay_all():
    Invoice.objects.update(status=InvoiceStatus.PAID, balance=0)


def process_all():
    for invoice in Invoice.objects.all():
        Invoice.objects.filter(id=invoice.id).update(in_flight=invoice.balance)


@pytest.mark.parametrize("settle", [pay_all, process_all])
def test_who_pays_a_second_before_gets_no_statement(server: ScriptedServer, settle):
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    make_rule(customer.merchant)
    run_due_statements(now=NOW)
    settle()

    deliver(NOW + timedelta(seconds=1))

    assert server.mails == []
    assert Mail.objects.get().state == MailState.WITHDRAWN


def test_a_statement_goes_to_the_address_of_the_moment_of_sending(server: ScriptedServer):
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    make_rule(customer.merchant)
    run_due_statements(now=NOW)
    change_contact(customer=customer, person=Person("Jo", "Doe", "new@acme.example", ""), language="")

    deliver(NOW)

    (mail,) = server.mails
    assert mail["To"].addresses[0].addr_spec == "new@acme.example"
    assert Mail.objects.get().to_address == "new@acme.example"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("settle", [pay_all, process_all])
def test_who_pays_while_a_batch_is_under_way_gets_no_statement(server: ScriptedServer, settle):
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    make_rule(customer.merchant)
    run_due_statements(now=NOW)

    deliver_while(settle)
    deliver(NOW + timedelta(minutes=2))

    assert server.mails == []
    assert Mail.objects.get().state == MailState.WITHDRAWN


def test_a_statement_does_not_go_to_an_address_that_was_stopped_meanwhile(server: ScriptedServer):
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    make_rule(customer.merchant)
    run_due_statements(now=NOW)
    mail = Mail.objects.get()
    suppress(mail=mail, address=mail.to_address, reason=SuppressionReason.COMPLAINED, note="", at=NOW)

    deliver()

    assert server.mails == []
    assert "No reminder or invitation goes to" in Mail.objects.get().last_error


def test_a_rule_for_all_tells_also_those_who_owe_nothing(server: ScriptedServer):
    customer = CustomerFactory()
    make_rule(customer.merchant, includes_settled=True)

    run_due_statements(now=NOW)
    deliver()

    (mail,) = server.mails
    assert mail["Subject"] == "Your statement: $0.00"
    assert "Nothing is open. Thank you." in text_of(mail)
    assert buttons_in(mail) == []
    assert "Nothing is open" in pdf_of(mail)[1]


def hold(customer, **fields):
    defaults = {"invoice": None, "reason": HoldReason.DISPUTE, "until": None, "note": "", "held_by": None, "now": NOW}
    return put_on_hold(customer=customer, **(defaults | fields))


@pytest.mark.parametrize("stop", [hold, lambda customer: end_reminders(customer=customer, now=NOW)])
def test_a_hold_or_unsubscribing_between_choosing_and_sending_withdraws_the_mail(server: ScriptedServer, stop):
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    make_rule(customer.merchant)
    run_due_statements(now=NOW)
    stop(customer)

    deliver(NOW)

    assert server.mails == []


def test_a_disputed_invoice_is_listed_and_no_button_asks_for_it(server: ScriptedServer):
    customer = CustomerFactory()
    disputed = InvoiceFactory(customer=customer, number="BAD-1", amount=usd("70.00"))
    free = InvoiceFactory(customer=customer, amount=usd("30.00"))
    hold(customer, invoice=disputed)
    make_rule(customer.merchant)

    run_due_statements(now=NOW)
    deliver()

    (mail,) = server.mails
    assert "$100.00" in mail["Subject"]
    assert "BAD-1" in text_of(mail)
    assert "Pay $30.00 with new card" in text_of(mail)
    assert [line.invoice_id for line in StatementRequest.objects.get().request.lines.all()] == [free.id]


def test_a_long_list_is_cut_in_the_mail_and_whole_in_the_pdf(server: ScriptedServer):
    customer = CustomerFactory()
    for place in range(9):
        InvoiceFactory(customer=customer, number=f"N-{place}", due_on=TODAY - timedelta(days=30 - place))
    make_rule(customer.merchant)

    run_due_statements(now=NOW)
    deliver()

    (mail,) = server.mails
    assert "N-4" in text_of(mail)
    assert "N-5" not in text_of(mail)
    assert "4 more invoices are in the attached PDF." in text_of(mail)
    assert "N-8" in pdf_of(mail)[1]


def test_any_template_may_show_the_summary_also_in_a_reminder(server: ScriptedServer):
    from payorcrm.reminders.send import send_reminders

    customer = CustomerFactory()
    InvoiceFactory(customer=customer, amount=usd("10.00"))
    InvoiceFactory(customer=customer, amount=usd("90.00"), due_on=TODAY + timedelta(days=9))
    template = statement_template(customer.merchant)
    save_template(template, subject="Late", body="<p>{{statement_summary}}</p>{{payment_buttons}}", name="Statement")

    send_reminders(merchant=customer.merchant, now=NOW, template=template)
    deliver()

    (mail,) = server.mails
    assert "$100.00" in text_of(mail)
    assert "PDF" not in text_of(mail)
    assert "Pay $10.00 with new card" in text_of(mail)


@pytest.mark.parametrize("count", [1, 5])
def test_a_batch_reads_with_the_same_queries(django_assert_num_queries: DjangoAssertNumQueries, count):
    merchant = MerchantFactory()
    for _ in range(count):
        customer = CustomerFactory(merchant=merchant)
        InvoiceFactory(customer=customer)
        InvoiceFactory(customer=customer, amount=usd("20.00"), currency="EUR")
    make_rule(merchant)
    run_due_statements(now=NOW)
    mails = list(Mail.objects.all())

    with django_assert_num_queries(12):
        composed = compose_statements(mails, NOW)
    with django_assert_num_queries(0):
        drafts = [write() for write in composed.values()]

    assert len(drafts) == count
    assert all(draft.attachments[0].content.startswith(b"%PDF") for draft in drafts)


def test_one_by_hand_goes_out_at_once_and_a_second_press_sends_nothing(server: ScriptedServer):
    from payorcrm.statements.send import NoStatementSent

    customer = CustomerFactory()
    InvoiceFactory(customer=customer)

    run = send_statement(customer=customer, started_by=None, now=NOW)
    with pytest.raises(NoStatementSent):
        send_statement(customer=customer, started_by=None, now=NOW)
    deliver()
    with pytest.raises(NoStatementSent):
        send_statement(customer=customer, started_by=None, now=NOW + timedelta(seconds=5))

    assert (run.mail_count, len(server.mails)) == (1, 1)


def test_one_by_hand_is_refused_with_the_reason_where_there_is_no_address():
    from payorcrm.statements.send import NoStatementSent

    customer = CustomerFactory(contact__email="")
    InvoiceFactory(customer=customer)

    with pytest.raises(NoStatementSent, match="no e-mail address"):
        send_statement(customer=customer, started_by=None, now=NOW)
    assert Mail.objects.count() == 0
