"""A bookkeeper enters two invoices by hand, reminds of one with a press on the list, and voids the other."""

from datetime import timedelta

from payorcrm.core.clock import day_in, now
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.ledger.check import check_books
from tests.factories.inbox import Inbox
from tests.factories.models import CustomerFactory, StaffFactory
from tests.factories.system import RunningSystem
from tests.journeys.person import Person
from tests.journeys.portal import fill_in_sign_in


def test_an_invoice_is_entered_by_hand_and_reminded_of_and_another_is_voided(
    system: RunningSystem, person: Person, inbox: Inbox
) -> None:
    staff = StaffFactory()
    customer = CustomerFactory(merchant=staff.merchant, number="C1", company_name="O'Brien & Söhne")
    address = customer.contacts.get(is_primary=True).email
    person.open("/account/login/")
    fill_in_sign_in(person, staff.user.email)
    person.page.get_by_role("link", name="Invoices", exact=True).click()
    due = day_in(staff.merchant.time_zone, now()) - timedelta(days=10)

    for amount in ("120.00", "75.50"):
        person.page.get_by_role("link", name="New invoice").click()
        person.page.get_by_label("Name, number or e-mail").press_sequentially("söhne")
        person.page.get_by_role("radio", name="O'Brien & Söhne C1").check()
        person.page.get_by_label("Invoice date").fill((due - timedelta(days=30)).isoformat())
        person.page.get_by_label("Due date").fill(due.isoformat())
        person.page.get_by_label("Total").fill(amount)
        person.look(f"new invoice of {amount}")
        person.press("Record the invoice")
        person.sees("is recorded")
        person.page.get_by_role("link", name="Invoices", exact=True).first.click()
    person.look("two by hand")

    person.page.get_by_role("checkbox", name="Choose invoice INV-0001").check()
    person.press("Send reminder…")
    person.sees("Remind about 1 invoice?")
    person.look("ask to remind")
    person.press("Send 1 mail to 1 customer")
    assert "120.00" in str(inbox.wait_for_mail(to=address)["Subject"])

    person.page.get_by_role("link", name="Invoices", exact=True).click()
    person.page.get_by_role("checkbox", name="Choose invoice INV-0002").check()
    person.press("Void…")
    person.page.get_by_label("Why is it void?").fill("Entered twice.")
    person.look("ask to void")
    person.press("Void 1 invoice")
    person.sees("1 invoice became void.")

    statuses = dict(Invoice.objects.filter(merchant=staff.merchant).values_list("number", "status"))
    assert statuses == {"INV-0001": InvoiceStatus.OPEN, "INV-0002": InvoiceStatus.VOID}
    assert not [each for each in check_books() if each.row.startswith("invoice INV-")]
