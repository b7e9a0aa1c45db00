"""The mails about access: what stands in them, in whose language, and which are not sent any more."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.tokens import default_token_generator
from syrupy.assertion import SnapshotAssertion

from payorcrm.customers.answer_ask import RESET_KIND
from payorcrm.customers.invitation_password import password_of
from payorcrm.customers.invitation_runs import send_test_invitation
from payorcrm.customers.invite import accept_invitation, invite_customer, open_invitation_link
from payorcrm.customers.mails import compose_invitations, compose_password_resets, compose_test_invitations
from payorcrm.customers.models import Invitation
from payorcrm.customers.password_link import user_of_password_link
from payorcrm.customers.portal_access import remove_access
from payorcrm.mail.compose import Unsendable, queue_mail
from payorcrm.mail.drafts import Draft
from payorcrm.mail.models import Mail
from tests.factories.models import NOW, CustomerFactory, MerchantFactory, PortalAccessFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=3)


@pytest.fixture
def customer():
    return CustomerFactory(company_name="Acme <Tools>", contact__email="jo@acme.example")


def invited(customer, now=NOW) -> Invitation:
    return invite_customer(customer=customer, invited_by=None, now=now)


def drafts(compose: Any, now: Any = NOW) -> list[Any]:
    return list(compose(list(Mail.objects.order_by("id")), now).values())


def only_draft(compose: Any, now: Any = NOW) -> Draft:
    (draft,) = drafts(compose, now)
    assert isinstance(draft, Draft)
    return draft


def test_invitation_says_where_who_and_with_which_password(customer, settings) -> None:
    invitation = invited(customer)

    draft = only_draft(compose_invitations)

    assert draft.subject == f"Your access to invoices and payments at {customer.merchant.name}"
    for part in (draft.html, draft.text):
        assert password_of(invitation) in part
        assert f"{settings.PUBLIC_URL}/c/{customer.merchant.slug}/" in part
        assert "jo@acme.example" in part
        assert "14 days" in part
    assert "Acme <Tools>" in draft.text
    assert "Acme &lt;Tools&gt;" in draft.html


def test_button_of_the_invitation_opens_it(customer, settings) -> None:
    invitation = invited(customer)

    text = only_draft(compose_invitations).text

    start = f"{settings.PUBLIC_URL}/c/{customer.merchant.slug}/welcome/"
    (link,) = [line for line in text.splitlines() if line.startswith(start)]
    assert open_invitation_link(link.removeprefix(start).rstrip("/"), now=NOW) == invitation


def test_mail_that_is_sent_late_says_how_long_the_password_still_works(customer) -> None:
    invited(customer)

    assert "1 day " in only_draft(compose_invitations, NOW + timedelta(days=12, hours=5)).text


def test_person_with_a_password_is_told_to_use_it(customer) -> None:
    UserFactory(email="jo@acme.example")
    invited(customer)

    draft = only_draft(compose_invitations)

    assert "The one that you already have." in draft.text
    assert "welcome" not in draft.html
    assert "first sign-in" not in draft.text


@pytest.mark.parametrize(
    ("of_customer", "of_merchant", "expected"),
    [("", "es", "es"), ("en", "es", "en"), ("es", "en", "es"), ("", "xx", "en")],
)
def test_invitation_speaks_the_customers_language(customer, of_customer, of_merchant, expected) -> None:
    customer.language, customer.merchant.language = of_customer, of_merchant
    customer.save()
    customer.merchant.save()
    invited(customer)

    assert only_draft(compose_invitations).language == expected


def test_mails_that_are_not_needed_any_more_are_withdrawn(customer) -> None:
    over, removed, accepted = customer, CustomerFactory(), CustomerFactory()
    invited(over, NOW - timedelta(days=14))
    remove_access(access=invited(removed).access, now=NOW)
    accepting = invited(accepted)
    accept_invitation(invitation=accepting, password="a quiet harbour morning", now=NOW)
    accepting.access.user.refresh_from_db()

    composed = compose_invitations(list(Mail.objects.all()), NOW)

    mails = {mail.customer_id: mail.id for mail in Mail.objects.all()}
    assert mails[over.id] not in composed
    assert mails[removed.id] not in composed
    assert "The one that you already have." in composed[mails[accepted.id]].text


def test_lost_key_fails_the_mail_with_a_reason(customer, settings) -> None:
    invited(customer)
    settings.LINK_KEYS = ["another key that is long enough for all"]

    (composed,) = drafts(compose_invitations)

    assert isinstance(composed, Unsendable)
    assert "Invite the customer again" in composed.reason


def test_writing_many_takes_as_many_statements_as_writing_one(django_assert_num_queries) -> None:
    for _ in range(30):
        invited(CustomerFactory())
    mails = list(Mail.objects.all())

    for batch in (mails[:1], mails):
        with django_assert_num_queries(1):
            assert len(compose_invitations(batch, NOW)) == len(batch)


def test_test_invitation_shows_a_password_that_opens_nothing() -> None:
    staff = StaffFactory()

    send_test_invitation(merchant=staff.merchant, to=staff.user, now=NOW)

    draft = only_draft(compose_test_invitations)
    assert Mail.objects.get().to_address == staff.user.email
    assert draft.subject.startswith("[Test] ")
    assert "the password opens nothing" in draft.text
    assert "welcome" not in draft.html
    assert Invitation.objects.count() == 0


def reset_for(access: Any) -> None:
    queue_mail(
        kind=RESET_KIND,
        about_id=access.user_id,
        merchant=access.merchant,
        customer_id=access.customer_id,
        to_address=access.user.email,
        now=NOW,
    )


def test_link_of_the_reset_works_until_the_password_is_changed(settings) -> None:
    access = PortalAccessFactory()
    reset_for(access)

    text = only_draft(compose_password_resets).text

    start = f"{settings.PUBLIC_URL}/c/{access.merchant.slug}/password/"
    (link,) = [line for line in text.splitlines() if line.startswith(start)]
    key = link.removeprefix(start).rstrip("/")
    assert user_of_password_link(key) == access.user
    access.user.set_password("a quiet harbour morning")
    access.user.save()
    assert user_of_password_link(key) is None


def test_link_of_the_reset_works_for_an_hour(travel_to) -> None:
    user = UserFactory()
    key = f"{user.id.hex}-{default_token_generator.make_token(user)}"

    assert user_of_password_link(key) == user
    travel_to(datetime.now(UTC) + timedelta(minutes=61))
    assert user_of_password_link(key) is None


@pytest.mark.parametrize("key", ["", "-", "x-y", "00000000000000000000000000000000-abc-def", "ü-ü"])
def test_forged_reset_link_opens_nothing(key: str) -> None:
    assert user_of_password_link(key) is None


def test_reset_of_many_takes_as_many_statements_as_of_one(django_assert_num_queries) -> None:
    for _ in range(10):
        reset_for(PortalAccessFactory())
    mails = list(Mail.objects.all())

    for batch in (mails[:1], mails):
        with django_assert_num_queries(2):
            assert len(compose_password_resets(batch, NOW)) == len(batch)


def as_read(draft: Draft) -> str:
    """Return subject and text with what differs from time to time left out."""
    text = re.sub(r"(/c/[\w-]+/)(welcome|password)/\S+", r"\1\2/…/", f"{draft.subject}\n\n{draft.text}")
    return re.sub(r"\b[0-9a-z]{4}(-[0-9a-z]{4}){3}\b", "xxxx-xxxx-xxxx-xxxx", text)


def test_mails_read_as_agreed(snapshot: SnapshotAssertion) -> None:
    merchant = MerchantFactory(name="Harbor Supply Co.", slug="harbor")
    first = CustomerFactory(merchant=merchant, company_name="Acme Tools", contact__email="jo@acme.example")
    second = CustomerFactory(merchant=merchant, company_name="Birch & Co", contact__email="al@birch.example")
    UserFactory(email="al@birch.example")
    invited(first)
    access = invited(second).access

    with_password, to_sign_in = drafts(compose_invitations)
    reset_for(access)
    reset = only_draft(compose_password_resets)

    assert as_read(with_password) == snapshot(name="invitation")
    assert as_read(to_sign_in) == snapshot(name="invitation of a person with a password")
    assert as_read(reset) == snapshot(name="password reset")
