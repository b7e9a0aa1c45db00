"""A bookkeeper switches a rule of statements on: the worker's next look sends the mail, with the PDF."""

import io

from pypdf import PdfReader

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.mail.models import Mail, MailState
from tests.factories.due_runs import run_due_statements
from tests.factories.inbox import text_of
from tests.factories.journey import wait_until
from tests.factories.models import CustomerFactory, InvoiceFactory, MerchantFactory, StaffFactory
from tests.factories.system import RunningSystem
from tests.journeys.person import Person
from tests.journeys.portal import fill_in_sign_in
from tests.reminders.rules import set_schedule


def test_a_rule_that_is_switched_on_sends_the_statement_with_its_pdf(system: RunningSystem, person: Person) -> None:
    merchant = MerchantFactory()
    set_schedule(merchant, send_at="00:00")
    customer = CustomerFactory(merchant=merchant, contact__email="books@statement.example")
    InvoiceFactory(customer=customer, number="ST-1")
    staff = StaffFactory(merchant=merchant)
    person.open("/account/login/")
    fill_in_sign_in(person, staff.user.email)

    person.page.get_by_role("link", name="Statements").click()
    person.look("no rule yet")
    person.page.get_by_role("link", name="New rule").first.click()
    weekday = day_in(merchant.time_zone, present()).weekday()
    person.page.get_by_label("When", exact=True).select_option(f"w{weekday}")
    person.press("Save")
    person.sees("Who would get it today: 1")
    person.look("rule")
    person.press("Switch on")
    person.sees("1 customer would get a statement today.")
    run_due_statements(now=present())

    mail = system.inbox.wait_for_mail(to="books@statement.example", subject="Your statement: $120.00")
    (pdf,) = mail.iter_attachments()
    assert "ST-1" in text_of(mail)
    assert "ST-1" in PdfReader(io.BytesIO(pdf.get_content())).pages[0].extract_text()
    wait_until(lambda: Mail.objects.get(customer=customer).state == MailState.SENT, "it is written down as sent")
    person.page.reload()
    person.page.get_by_role("table", name="Statements sent lately").get_by_role("link").first.click()
    person.look("run")
