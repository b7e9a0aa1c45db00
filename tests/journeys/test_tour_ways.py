"""The same walk through the portal on a small phone without scripts, by keyboard alone, and in Spanish."""

from collections.abc import Callable

from django.utils.translation import gettext, override
from playwright.sync_api import BrowserContext, Locator, expect

from payorcrm.customers.models import Customer
from tests.factories.inbox import html_of, text_of
from tests.factories.journey import link_in, open_business
from tests.factories.models import PASSWORD
from tests.factories.system import RunningSystem
from tests.journeys.person import Person, enter_card
from tests.journeys.portal import (
    assert_processor_agrees,
    business_without_logins,
    choose,
    choose_password,
    enter_portal,
    file_behind,
    invite,
    invoices_of,
    last_payment,
    pay_button,
    tick_box,
    with_invited_payer,
)
from tests.portal.test_spanish import english_in

NARROW = 360
CARD = "4242424242424242"
# Where the focus is, something must be drawn around it, and nothing may lie over it.
SEES_FOCUS = """() => {
    const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
    const isMarked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return isMarked && top !== null && (it.contains(top) || top.contains(it));
}"""
HAS_FOCUS = "(it) => it === document.activeElement"
BothViews = Callable[..., None]


def test_phone_without_scripts_goes_from_the_invitation_to_the_receipt(
    system: RunningSystem, new_profile: Callable[..., BrowserContext], both_views_show: BothViews
) -> None:
    business = business_without_logins(system, "120.00", "45.25")
    invite(business)
    person = Person(new_profile(width=NARROW, java_script_enabled=False).new_page())
    person.open(link_in(business.mail("Your access"), "Choose your password"))
    choose_password(person)
    business = with_invited_payer(business)
    first, second = invoices_of(business)

    choose(person, first)
    person.page.get_by_role("link", name="the processor's own page").click()
    enter_card(person.page, CARD)
    person.press("Continue")
    person.page.get_by_label("Save this card for next time").check()
    person.press("Pay $120.00 with new card")
    person.sees_title("Paid: $120.00")
    both_views_show(business, last_payment(business), "Paid")

    person.page.get_by_role("link", name="Back to invoices").click()
    choose(person, second)
    person.press("Pay $45.25 with card •••• 4242")
    person.sees_title("Paid: $45.25")
    both_views_show(business, last_payment(business), "Paid")
    assert file_behind(person, "Receipt (PDF)").content.startswith(b"%PDF")
    person.page.get_by_role("link", name="All payments").click()
    for payment in business.payments():
        person.sees(payment.reference)
    assert business.statuses() == {("paid", 0, 0)}
    assert_processor_agrees(business)


def test_keyboard_alone_signs_in_chooses_and_pays_and_always_sees_the_focus(
    system: RunningSystem, person: Person, both_views_show: BothViews
) -> None:
    business = open_business(system, "120.00", "45.25")
    business.save_card(CARD)
    first, second = invoices_of(business)
    keyboard = person.page.keyboard
    person.open(f"/c/{business.merchant.slug}/")
    tab_until(person, person.page.locator("input[name=login]"))
    keyboard.type(business.payer.email)
    tab_until(person, person.page.locator("input[name=password]"))
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    person.sees_title("Invoices")

    for invoice in (first, second):
        tab_until(person, tick_box(person, invoice))
        keyboard.press("Space")
    tab_until(person, pay_button(person))
    expect(pay_button(person)).to_have_text("Pay 2 invoices, $165.25")
    keyboard.press("Enter")
    person.sees_title("Pay ")
    tab_until(person, person.page.get_by_role("button", name="Pay $165.25 with card •••• 4242"))
    keyboard.press("Enter")

    person.sees_title("Paid: $165.25")
    tab_until(person, person.page.get_by_role("link", name="Receipt (PDF)"))
    tab_until(person, person.page.get_by_role("link", name="Back to invoices"))
    keyboard.press("Enter")
    person.sees("Nothing to pay")
    both_views_show(business, last_payment(business), "Paid")
    assert_processor_agrees(business)


def tab_until(person: Person, wanted: Locator) -> None:
    """Press Tab until something has the focus, which must be visible at every stop."""
    for _ in range(60):
        person.page.keyboard.press("Tab")
        assert person.page.evaluate(SEES_FOCUS), person.page.evaluate("document.activeElement.outerHTML")
        if wanted.evaluate(HAS_FOCUS):
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_spanish_speaker_reads_no_english_from_the_sign_in_to_the_receipt(
    system: RunningSystem, new_profile: Callable[..., BrowserContext]
) -> None:
    business = open_business(system, "120.00")
    Customer.objects.filter(id=business.customer.id).update(language="es")
    person = Person(new_profile(locale="es-MX").new_page())
    read(person, f"/c/{business.merchant.slug}/", f"/c/{business.merchant.slug}/password/")
    enter_portal(person, business)
    person.page.wait_for_url("**/portal/invoices/")
    (invoice,) = invoices_of(business)
    read(person, "/portal/invoices/", f"/portal/invoices/{invoice.id}/", "/portal/methods/", "/portal/settings/")

    choose(person, invoice)
    expect_spanish(person)
    enter_card_in_spanish(person)
    person.page.locator("#save").check()
    person.page.locator("form[data-fields-origin] button.primary").click()
    person.sees_title(in_spanish("Paid: %(amount)s") % {"amount": "$120.00"})
    expect_spanish(person)

    payment = last_payment(business)
    read(person, "/portal/payments/", f"/portal/payments/{payment.id}/", "/portal/invoices/?tab=paid")
    receipt = business.mail("120.00")
    assert [english_in(text) for text in (receipt["Subject"], text_of(receipt), html_of(receipt))] == [[], [], []]
    assert_processor_agrees(business)


def read(person: Person, *addresses: str) -> None:
    """Open pages and find no English on them."""
    for address in addresses:
        person.open(address)
        expect_spanish(person)


def expect_spanish(person: Person) -> None:
    """Expect no English on the page, nor in the processor's fields on it."""
    person.page.wait_for_load_state()
    person.look("Spanish")
    assert {frame.url: english_in(frame.content()) for frame in person.page.frames if english_in(frame.content())} == {}


def enter_card_in_spanish(person: Person) -> None:
    """Type a card into the processor's fields, whatever they are called."""
    for name, text in (("number", CARD), ("expiry", "12/39"), ("cvc", "123"), ("name", "Jo Miller")):
        person.fields().locator(f"input[name={name}]").fill(text)


def in_spanish(sentence: str) -> str:
    """Return a sentence of the product in Spanish."""
    with override("es"):
        return gettext(sentence)
