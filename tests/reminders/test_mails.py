"""Reminders as customers get them: from today's books, to the right customer, or not at all."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from syrupy.assertion import SnapshotAssertion

from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.mail.models import Mail, MailState
from payorcrm.payments.links import read_payment_token
from payorcrm.reminders.mails import WrongRecipient, compose_reminders
from payorcrm.reminders.models import Reminder, ReminderRun
from payorcrm.reminders.send import send_reminders
from payorcrm.reminders.templates import save_template, template_for
from tests.factories.inbox import html_of, links_in, text_of
from tests.factories.models import (
    NOW,
    CustomerFactory,
    InvoiceFactory,
    MerchantFactory,
    PaymentMethodFactory,
    PortalAccessFactory,
    usd,
)
from tests.factories.outbox import deliver
from tests.factories.papers import text_of as printed
from tests.factories.smtp import ScriptedServer

pytestmark = pytest.mark.django_db


def choices_in(mail: object) -> list[str]:
    """Return what each payment link of a mail chooses."""
    return [read_payment_token(link.split("/")[-2]).choice for link in links_in(mail) if "/pay/" in link]  # type: ignore[arg-type]


def test_a_reminder_shows_invoices_total_and_one_button_for_each_way_to_pay(server: ScriptedServer) -> None:
    customer = CustomerFactory(company_name="Cool Cars")
    card = PaymentMethodFactory(customer=customer)
    account = PaymentMethodFactory(customer=customer, bank=True)
    PaymentMethodFactory(customer=customer, last4="1111", expiry_year=2026, expiry_month=10)
    PaymentMethodFactory(customer=customer, last4="2222", removed_at=NOW)
    PaymentMethodFactory(customer=customer, last4="3333", saved_at=None)
    InvoiceFactory(customer=customer, number="43250", amount=usd("1000.00"))
    InvoiceFactory(customer=customer, number="40678", amount=usd("150.00"), due_on=date(2026, 5, 8))

    run = send_reminders(merchant=customer.merchant, now=NOW)
    deliver()

    (mail,) = server.mails
    assert mail["Subject"] == "Reminder: $1,150.00 is past due"
    assert choices_in(mail) == [str(card.id), str(account.id), "card", "bank"]
    request_id = run.reminders.get().request_id
    assert {read_payment_token(link.split("/")[-2]).request_id for link in links_in(mail) if "/pay/" in link} == {
        request_id
    }
    html, text = html_of(mail), text_of(mail)
    assert html.index("40678") < html.index("43250")
    for shown in (
        "Pay $1,150.00 with card ••••\N{NO-BREAK SPACE}0027",
        "Pay $1,150.00 with bank account ••••\N{NO-BREAK SPACE}5456",
        "Pay $1,150.00 with new card",
        "Pay $1,150.00 with new bank account",
        "May 8, 2026",
        "Cool Cars",
        "Hello Jo,",
    ):
        assert shown in text
        assert shown.replace("•", "&#8226;").replace("\N{NO-BREAK SPACE}", "&#160;") in html
    assert "1111" not in html + text


def test_a_card_is_good_until_the_end_of_its_month(server: ScriptedServer) -> None:
    customer = CustomerFactory()
    PaymentMethodFactory(customer=customer, expiry_year=2026, expiry_month=11)
    InvoiceFactory(customer=customer)

    send_reminders(merchant=customer.merchant, now=NOW)
    deliver()

    assert len(choices_in(server.mails[0])) == 3


def test_a_reminder_can_be_ended_with_one_click_and_says_so(server: ScriptedServer) -> None:
    invoice = InvoiceFactory()

    send_reminders(merchant=invoice.merchant, now=NOW)
    deliver()

    (mail,) = server.mails
    link = mail["List-Unsubscribe"].strip("<>")
    assert link.startswith("http://localhost:8000/unsubscribe/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in links_in(mail)
    assert link in text_of(mail)
    assert mail["From"].addresses[0].display_name == invoice.merchant.name
    assert mail["Reply-To"] == "billing@harbor-supply.example"


def test_invoices_settled_since_the_selection_are_left_out(server: ScriptedServer) -> None:
    customer = CustomerFactory()
    paid, in_flight, lower, open_one = (InvoiceFactory(customer=customer, number=f"N-{place}") for place in range(4))

    send_reminders(merchant=customer.merchant, now=NOW)
    Invoice.objects.filter(id=paid.id).update(balance=0, status=InvoiceStatus.PAID)
    Invoice.objects.filter(id=in_flight.id).update(in_flight=1)
    Invoice.objects.filter(id=lower.id).update(balance=500)
    deliver()

    (mail,) = server.mails
    text = text_of(mail)
    assert mail["Subject"] == "Reminder: $125.00 is past due"
    assert "N-0" not in text
    assert "N-1" not in text
    assert "$5.00" in text
    reminded = Invoice.objects.filter(last_reminded_at=NOW)
    assert {invoice.id for invoice in reminded} == {lower.id, open_one.id}


def test_a_reminder_with_nothing_left_is_withdrawn(server: ScriptedServer) -> None:
    invoice = InvoiceFactory()

    send_reminders(merchant=invoice.merchant, now=NOW)
    Invoice.objects.update(balance=0, status=InvoiceStatus.PAID)
    deliver()

    assert server.mails == []
    assert Mail.objects.get().state == MailState.WITHDRAWN
    assert Invoice.objects.get().last_reminded_at is None


def test_a_customer_who_unsubscribes_in_between_gets_nothing(server: ScriptedServer) -> None:
    invoice = InvoiceFactory()

    send_reminders(merchant=invoice.merchant, now=NOW)
    invoice.customer.unsubscribed_at = NOW
    invoice.customer.save()
    deliver()

    assert Mail.objects.get().state == MailState.WITHDRAWN


def test_a_mail_that_failed_does_not_count_as_reminded(server: ScriptedServer) -> None:
    invoice = InvoiceFactory()
    server.at_recipient[invoice.customer.contacts.get().email] = ["550 5.1.1 No such user"]

    send_reminders(merchant=invoice.merchant, now=NOW)
    deliver()

    assert Mail.objects.get().state == MailState.BOUNCED
    assert Invoice.objects.get().last_reminded_at is None


def test_a_rehearsal_reminds_nobody_and_cannot_unsubscribe_the_customer(server: ScriptedServer) -> None:
    invoice = InvoiceFactory(customer__company_name="Cool Cars")

    send_reminders(merchant=invoice.merchant, now=NOW, to_address="me@harbor.example")
    deliver()

    (mail,) = server.mails
    assert server.recipients == ["me@harbor.example"]
    assert mail["Subject"] == "[Test] Reminder: $120.00 is past due"
    assert "List-Unsubscribe" not in mail
    assert "unsubscribe" not in html_of(mail).lower() + text_of(mail).lower()
    assert "Cool Cars did not get this mail" in text_of(mail)
    assert Invoice.objects.get().last_reminded_at is None


def test_a_mail_with_another_customers_name_on_it_stops_its_run_and_no_other(server: ScriptedServer) -> None:
    merchant = MerchantFactory()
    first, second = (InvoiceFactory(customer=CustomerFactory(merchant=merchant)) for _ in range(2))
    other = InvoiceFactory()
    run = send_reminders(merchant=merchant, now=NOW)
    send_reminders(merchant=other.merchant, now=NOW)
    Mail.objects.filter(customer=first.customer).update(customer=second.customer)

    with pytest.raises(WrongRecipient):
        deliver()

    stopped = Mail.objects.filter(reminder__run=run)
    assert {mail.state for mail in stopped} == {MailState.FAILED}
    assert all("The run was stopped" in mail.last_error for mail in stopped)
    assert server.recipients == [other.customer.contacts.get().email]
    run.refresh_from_db()
    assert "more than one customer" in run.stopped_because


def test_later_mails_of_a_stopped_run_stay_unsent(server: ScriptedServer) -> None:
    invoice = InvoiceFactory()
    send_reminders(merchant=invoice.merchant, now=NOW)
    ReminderRun.objects.update(stopped_because="The run was stopped.")

    deliver()

    assert server.mails == []
    assert Mail.objects.get().state == MailState.FAILED


def test_an_invoice_moved_to_another_customer_stops_the_run(server: ScriptedServer) -> None:
    invoice = InvoiceFactory()
    stranger = CustomerFactory(merchant=invoice.merchant)
    send_reminders(merchant=invoice.merchant, now=NOW)
    # The database refuses this, too; only without its guards can it happen at all.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE invoices_invoice SET customer_id = %s", [stranger.id])
        cursor.execute("SET LOCAL session_replication_role = origin")

    with pytest.raises(WrongRecipient, match="does not belong to the customer"):
        deliver()

    assert server.mails == []


def test_only_customers_who_can_sign_in_are_told_where(server: ScriptedServer) -> None:
    merchant = MerchantFactory()
    signs_in, stranger = (CustomerFactory(merchant=merchant, company_name=name) for name in ("Cool Cars", "Old Oars"))
    for customer in (signs_in, stranger):
        InvoiceFactory(customer=customer)
    PortalAccessFactory(customer=signs_in)

    send_reminders(merchant=merchant, now=NOW)
    deliver()

    told, untold = sorted(server.mails, key=lambda mail: "Cool Cars" not in text_of(mail))
    assert f"Sign in to see your payments: http://localhost:8000/c/{merchant.slug}/" in text_of(told)
    assert "Sign in to see your payments</a>" in html_of(told)
    assert "sign in" not in (text_of(untold) + html_of(untold)).lower()
    assert not re.search(r"<p[^>]*>\s*</p>", html_of(untold))


def test_links_to_papers_open_without_signing_in(server: ScriptedServer, client: Client, travel_to) -> None:
    invoice = InvoiceFactory(number="INV-7")
    InvoiceFactory(customer=invoice.customer, number="INV-8", due_on=date(2027, 1, 8))  # not due, so not in the mail
    body = "{{invoice_list}}<p>{{statement_pdf}}</p>{{invoice_pdfs}}"
    save_template(template_for(invoice.merchant), subject="Hello", body=body, name="With papers")
    send_reminders(merchant=invoice.merchant, now=NOW)
    deliver()
    travel_to(NOW + timedelta(days=80))

    (mail,) = server.mails
    links = [link for link in links_in(mail) if "/pdf/" in link or "/statement/" in link]
    statement, paper = (printed(client.get(urlsplit(link).path).content) for link in links)

    assert all(link in text_of(mail) for link in links)
    assert "INV-7" in statement
    assert "INV-8" in statement
    assert "INV-7" in paper


def test_a_template_with_conditions_is_rendered_for_each_mail(server: ScriptedServer) -> None:
    merchant = MerchantFactory()
    for name in ("Jo", ""):
        InvoiceFactory(customer=CustomerFactory(merchant=merchant, contact__first_name=name))
    greeting = "{% if first_name %}<p>Hi {{first_name}}!</p>{% else %}<p>Good day!</p>{% endif %}"
    body = greeting + "{{invoice_list}}{{payment_buttons}}"
    save_template(template_for(merchant), subject="{{first_name}}", body=body, name="Friendly")

    send_reminders(merchant=merchant, now=NOW)
    deliver()

    assert sorted(text_of(mail).splitlines()[0] for mail in server.mails) == ["Good day!", "Hi Jo!"]
    assert all("$120.00" in html_of(mail) for mail in server.mails)


@pytest.mark.parametrize("count", [1, 200])
def test_the_queries_of_a_batch_do_not_grow_with_it(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    merchant = MerchantFactory()
    for _ in range(count):
        customer = CustomerFactory(merchant=merchant)
        InvoiceFactory(customer=customer)
        PaymentMethodFactory(customer=customer)
    send_reminders(merchant=merchant, now=NOW)
    mails = list(Mail.objects.all())

    with django_assert_num_queries(8):
        drafts = compose_reminders(mails, NOW)

    assert len(drafts) == count
    assert Reminder.objects.count() == count


def test_a_reminder_looks_as_agreed(server: ScriptedServer, snapshot: SnapshotAssertion) -> None:
    merchant = MerchantFactory(
        id=UUID(int=1),
        name='Harbor Supply "Co." 🚲',
        slug="harbor",
        address="1 Quay Street\nPortland, ME 04101",
        phone="+1 207 555 0134",
    )
    customer = CustomerFactory(id=UUID(int=2), merchant=merchant, number="C1", company_name="Cool Cars & Söns")
    PaymentMethodFactory(id=UUID(int=3), customer=customer)
    PortalAccessFactory(customer=customer)
    for place, amount in enumerate(("121", "126", "174", "1000.50")):
        InvoiceFactory(
            customer=customer,
            number=f"4325{place}",
            amount=usd(amount),
            due_on=date(2026, 11, 8) - timedelta(days=40 * place),
        )

    send_reminders(merchant=merchant, now=NOW)
    deliver()

    (mail,) = server.mails
    assert mail["Subject"] == snapshot(name="subject")
    assert without_links(text_of(mail), mail) == snapshot(name="text")
    assert without_links(html_of(mail), mail) == snapshot(name="html")


def without_links(content: str, mail: object) -> str:
    """Put numbers in place of signed links, which differ from run to run."""
    for place, link in enumerate(links_in(mail)):  # type: ignore[arg-type]
        content = content.replace(link.replace("&", "&amp;"), f"LINK-{place}").replace(link, f"LINK-{place}")
    return content.replace("\r\n", "\n")


def test_a_reminder_speaks_the_language_of_its_customer(server: ScriptedServer) -> None:
    customer = CustomerFactory(language="es")
    InvoiceFactory(customer=customer, amount=usd("1150.00"), due_on=date(2026, 11, 8))

    send_reminders(merchant=customer.merchant, now=NOW)
    deliver()

    (mail,) = server.mails
    assert '<html lang="es" dir="ltr">' in html_of(mail)
    assert "8 de noviembre de 2026" in text_of(mail)
    assert "$1,150.00" in text_of(mail)
