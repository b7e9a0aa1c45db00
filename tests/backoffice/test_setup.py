"""The checklist of a new merchant follows the facts and nothing else."""

import pytest
from django.urls import reverse

from payorcrm.backoffice.setup_steps import STEPS, checklist_of
from payorcrm.core.clock import now
from payorcrm.customers.models import Invitation
from payorcrm.mail.models import Mail, MailSender
from payorcrm.merchants.models import Merchant, Role, Setup
from payorcrm.reminders.models import TemplateTest
from payorcrm.reminders.switch_rules import rules_of, switch_on
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import (
    CustomerFactory,
    GatewayAccountFactory,
    InvoiceFactory,
    MerchantFactory,
    PortalAccessFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db


def new_merchant() -> Merchant:
    merchant = MerchantFactory(address="")
    Setup.objects.create(merchant=merchant)
    return merchant


def states(merchant: Merchant) -> dict[str, bool]:
    checklist = checklist_of(StaffFactory(merchant=Merchant.objects.get(id=merchant.id)))
    return {step.words.name: step.is_done for step in checklist.steps}


def post(merchant: Merchant, name: str, role: Role = Role.OWNER, **form: str):
    return client_of(merchant, role).post(reverse(f"backoffice:{name}", args=[merchant.slug]), form, follow=True)


def dashboard(merchant: Merchant, role: Role = Role.OWNER) -> str:
    return client_of(merchant, role).get(reverse("backoffice:dashboard", args=[merchant.slug])).text


def test_nothing_is_done_at_first():
    assert set(states(new_merchant()).values()) == {False}


def invite(merchant: Merchant) -> None:
    access = PortalAccessFactory(customer=CustomerFactory(merchant=merchant))
    Invitation.objects.create(merchant=merchant, access=access, password_digest=b"", invited_at=now(), expires_at=now())


@pytest.mark.parametrize(
    ("names", "make"),
    [
        ("company", lambda merchant: Merchant.objects.filter(id=merchant.id).update(address="1 Quay Street")),
        ("look", lambda merchant: Merchant.objects.filter(id=merchant.id).update(accent_color="#aa3300")),
        ("sender", lambda merchant: MailSender.objects.create(merchant=merchant, from_name="Harbor")),
        ("gateway", lambda merchant: GatewayAccountFactory(merchant=merchant)),
        ("import_customers", lambda merchant: CustomerFactory(merchant=merchant)),
        ("import_customers import", lambda merchant: InvoiceFactory(customer=CustomerFactory(merchant=merchant))),
        ("test", lambda merchant: post(merchant, "setup_test")),
        ("import_customers invite", invite),
        ("switch_on", lambda merchant: switch_on(rules_of(merchant)[0], now=now())),
    ],
)
def test_a_fact_makes_its_step_done_and_no_other(names, make):
    merchant, other = new_merchant(), new_merchant()

    make(merchant)

    assert [step for step, is_done in states(merchant).items() if is_done] == names.split()
    assert not any(states(other).values())


def test_every_step_leads_to_a_page_that_leads_back():
    merchant = new_merchant()
    client = client_of(merchant)
    page = dashboard(merchant)

    for step in STEPS:
        place = reverse(f"backoffice:{step.address}", args=[merchant.slug])
        assert place in page
        if not step.is_pressed:
            assert "Back to setting up" in client.get(place).text


def test_the_test_goes_to_the_person_who_asks_and_to_no_customer():
    merchant = new_merchant()
    customer = CustomerFactory(merchant=merchant)
    InvoiceFactory(customer=customer)
    client = client_of(merchant)

    response = client.post(reverse("backoffice:setup_test", args=[merchant.slug]), follow=True)

    person = merchant.staff.get().user
    assert f"A test reminder is on its way to {person.email}" in response.text
    assert [mail.to_address for mail in Mail.objects.all()] == [person.email]
    assert TemplateTest.objects.get().customer == customer


def test_a_step_is_passed_over_and_taken_up_again():
    merchant = new_merchant()

    passed = post(merchant, "setup_skip", step="invite").text
    assert Setup.objects.get().skipped == ["invite"]
    again = post(merchant, "setup_skip", step="invite", again="").text

    assert "Not now</span>" in passed
    assert "Not now</span>" not in again
    assert post(merchant, "setup_skip", step="nonsense").status_code == 404


def test_what_was_passed_over_and_is_done_later_counts_as_done():
    merchant = new_merchant()
    post(merchant, "setup_skip", step="gateway")

    GatewayAccountFactory(merchant=merchant)

    assert states(merchant)["gateway"]
    assert "1 of 9 done" in dashboard(merchant)


def test_the_list_stays_until_somebody_closes_it():
    merchant = new_merchant()
    for step in STEPS:
        post(merchant, "setup_skip", step=step.name)
    assert "You are set up" in dashboard(merchant)

    post(merchant, "setup_close")

    assert "Setting up" not in dashboard(merchant)
    page = client_of(merchant).get(reverse("backoffice:settings_company", args=[merchant.slug])).text
    assert "Back to setting up" not in page


def test_a_merchant_that_was_not_opened_here_has_no_list():
    assert "Setting up" not in dashboard(make_shop().merchant)


def test_collectors_leave_to_owners_what_is_theirs_and_viewers_see_no_list():
    merchant = new_merchant()

    assert dashboard(merchant, Role.COLLECTOR).count("An owner does this.") == 4
    assert "Setting up" not in dashboard(merchant, Role.VIEWER)


def test_the_list_costs_one_query(django_assert_num_queries):
    staff = StaffFactory(merchant=new_merchant())
    staff.merchant.setup  # noqa: B018 (as `access` has read it)

    with django_assert_num_queries(1):
        checklist_of(staff)
