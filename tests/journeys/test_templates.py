"""A collector writes a reminder by keyboard: fields from the menu, a preview that follows, a test in the own inbox."""

from playwright.sync_api import FrameLocator, expect

from payorcrm.reminders.models import TemplateTest
from payorcrm.reminders.templates import save_template, template_for
from tests.factories.inbox import Inbox, html_of
from tests.factories.models import CustomerFactory, InvoiceFactory, StaffFactory, usd
from tests.journeys.person import Person
from tests.journeys.portal import fill_in_sign_in

WRITTEN = (
    "{% if last_name %}\n<p>Hi {{first_name}}</p>\n{% endif %}\n{{invoice_list}}\n"
    "<p>Dear {{first_name}} {{last_name}} and all,</p>\n{{payment_buttons}}"
)


def test_a_reminder_is_written_by_keyboard_previewed_saved_and_tested(person: Person, inbox: Inbox) -> None:
    customer = CustomerFactory(company_name="Acme “Tools” 🔧")
    InvoiceFactory(customer=customer, number="INV-77", amount=usd("120.00"))
    template = template_for(customer.merchant)
    template.body = "{% if last_name %}<p>Hi {{first_name}}</p>{% endif %}\n{{invoice_list}}"
    template.save()
    staff = StaffFactory(merchant=customer.merchant).user
    person.open("/account/login/")
    fill_in_sign_in(person, staff.email)
    person.page.get_by_role("link", name="Reminders", exact=True).click()
    person.look("templates")
    person.page.get_by_role("link", name=template.name).click()
    area = person.page.get_by_role("textbox", name="Text")
    expect(area).to_contain_text("if last_name")
    person.sees("There are no payment links")
    _wait_for_preview(person, "INV-77")
    person.look("editor")

    area.focus()
    _write(person)

    person.sees("Every field, link, picture and colour is in order.")
    _wait_for_preview(person, "Dear Jo Miller and all,")
    expect(_preview(person).locator("body")).to_contain_text("Pay $120.00 with new card")
    person.press("Send a test to me")
    person.sees(f"A test is on its way to {staff.email}.")
    person.press("Save")
    person.sees("The template is saved.")
    _wait_for_preview(person, "Dear Jo Miller and all,")
    person.look("saved")

    mail = inbox.wait_for_mail(to=staff.email, subject="[Test]")
    assert "Dear Jo Miller and all," in html_of(mail)
    assert "INV-77" in html_of(mail)
    template.refresh_from_db()
    assert template.body == WRITTEN
    assert (template.versions.count(), TemplateTest.objects.filter(asked_by=staff).count()) == (3, 1)
    assert not customer.reminders.exists()
    person.page.get_by_role("link", name="Version 3").click()
    person.look("versions")
    person.page.get_by_role("link", name="Version 1").click()
    _wait_for_preview(person, "INV-77")
    person.look("version")


def _write(person: Person) -> None:
    """Write two lines at the end of the text, with two fields of the menu and one that is mistyped at first."""
    keys = person.page.keyboard
    keys.press("Control+End")
    keys.press("Enter")
    keys.type("Dear ")
    _insert(person, "First Name", presses=1)
    _insert(person, "Last Name", presses=2)
    keys.type(" and {{frist_name}}")
    person.sees("Did you mean “First Name”")
    keys.press("Backspace")
    keys.type("all,")
    keys.press("Enter")
    _insert(person, "Payment Links", presses=6)


def _insert(person: Person, field: str, *, presses: int) -> None:
    """Go from the text to the toolbar and down the menu, as somebody without a mouse does."""
    keys = person.page.keyboard
    keys.press("Alt+F10")
    keys.press("Enter")
    for _ in range(presses):
        keys.press("ArrowDown")
    expect(person.page.locator("button:focus")).to_have_text(field)
    keys.press("Enter")


def _preview(person: Person) -> FrameLocator:
    return person.page.frame_locator("iframe.frame:not(.coming)")


def _wait_for_preview(person: Person, text: str) -> None:
    expect(person.page.locator("iframe.frame")).to_have_count(1)
    expect(_preview(person).locator("body")).to_contain_text(text)


def test_a_text_that_the_editor_could_not_give_back_stays_as_html(person: Person) -> None:
    customer = CustomerFactory()
    template = template_for(customer.merchant)
    table = "<table><tr><td>{{first_name}}</td></tr></table>"
    styled = '<p style="color: #333">{% if last_name %}Dear{% endif %} <a href="https://a.example/?b&amp;c">you</a></p>'
    save_template(template, name="Firm", subject="Pay", body=table)
    person.open("/account/login/")
    fill_in_sign_in(person, StaffFactory(merchant=customer.merchant).user.email)
    person.page.get_by_role("link", name="Reminders", exact=True).click()
    person.page.get_by_role("link", name="Firm").click()
    source, area = person.page.locator("textarea"), person.page.get_by_role("textbox", name="Text")

    person.sees("This text has HTML that the visual editor would change.")
    assert source.input_value() == table
    source.fill(styled)
    person.press("HTML")
    expect(area).to_contain_text("if last_name")
    area.focus()
    person.page.keyboard.press("Control+Z")
    person.page.keyboard.press("Control+End")
    person.page.keyboard.type("!")
    person.press("Save")

    person.sees("The template is saved.")
    template.refresh_from_db()
    assert template.body == styled.replace("you</a>", "you</a>!")
