"""Inviting one customer: user, access, a password that nobody stores, one mail; and what the invited person does."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from payorcrm.core.models import User
from payorcrm.core.signing import NotGenuine
from payorcrm.customers.invitation_password import password_of
from payorcrm.customers.invite import (
    AccessWasRemoved,
    InvitationExpired,
    InvitationUsed,
    accept_invitation,
    invitation_for_password,
    invitation_link,
    invite_customer,
    invite_guest,
    open_invitation_link,
)
from payorcrm.customers.invite_guests import Guest
from payorcrm.customers.models import Invitation, PortalAccess
from payorcrm.customers.portal_access import remove_access
from payorcrm.customers.queries import NoAddressOnFile
from payorcrm.mail.models import Mail, MailState
from tests.factories.models import NOW, PASSWORD, CustomerFactory, PortalAccessFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
CHOSEN = "a quiet harbour morning"
LATER = NOW + timedelta(days=3)


@pytest.fixture
def customer():
    return CustomerFactory(contact__email="Jo@Acme.example")


@pytest.fixture
def staff(customer):
    return StaffFactory(merchant=customer.merchant).user


@pytest.fixture
def invited(customer, staff):
    return invite_customer(customer=customer, invited_by=staff, now=NOW)


def token_of(invitation, now=NOW):
    return invitation_link(invitation, now).rstrip("/").rsplit("/", 1)[1]


def everything_stored():
    """Return all that the database keeps of users, invitations and mails, as one text."""
    with connection.cursor() as cursor:
        texts = []
        for table in ("core_user", "customers_invitation", "customers_portalaccess", "mail_mail", "procrastinate_jobs"):
            cursor.execute(f"SELECT row_to_json(each)::text FROM {table} each")
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def test_invitation_makes_a_user_an_access_and_one_mail(customer, invited):
    user = User.objects.get(email="Jo@Acme.example")
    assert (user.name, user.has_usable_password()) == ("Jo Miller", False)
    access = PortalAccess.objects.get()
    assert (access.customer, access.user, access.merchant, invited.access) == (
        customer,
        user,
        customer.merchant,
        access,
    )
    mail = Mail.objects.get()
    assert (mail.kind, mail.about_id, mail.to_address, mail.to_name, mail.is_bulk) == (
        "invitation",
        invited.id,
        "Jo@Acme.example",
        "Jo Miller",
        False,
    )
    assert invited.expires_at == NOW + timedelta(days=14)


def test_password_is_readable_and_kept_nowhere(invited):
    password = password_of(invited)

    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}", password)
    assert len(set(password)) > 4
    stored = everything_stored()
    assert password not in stored
    assert password.replace("-", "") not in stored
    assert len(bytes(invited.password_digest)) == 32


def test_passwords_of_two_invitations_and_of_a_refreshed_one_differ(invited, customer, staff):
    first = password_of(invited)
    Mail.objects.update(state=MailState.SENT)
    other = password_of(invite_customer(customer=CustomerFactory(), invited_by=staff, now=NOW))
    refreshed = password_of(invite_customer(customer=customer, invited_by=staff, now=LATER))

    assert len({first, other, refreshed}) == 3


@pytest.mark.parametrize(
    "typed", [str.upper, lambda text: f" {text.replace('-', ' ')} ", lambda t: t.replace("0", "O")]
)
def test_password_is_read_as_people_type_it(invited, typed):
    found = invitation_for_password(email="jo@acme.EXAMPLE", password=typed(password_of(invited)), now=NOW)

    assert found == invited


@pytest.mark.parametrize("password", ["", "-", "\0", "wrong-wrong-wrong", PASSWORD])
def test_wrong_password_finds_nothing(invited, password):
    assert invitation_for_password(email="jo@acme.example", password=password, now=NOW) is None


def test_password_of_another_person_finds_nothing(invited, staff):
    other = invite_customer(customer=CustomerFactory(), invited_by=staff, now=NOW)

    assert invitation_for_password(email="jo@acme.example", password=password_of(other), now=NOW) is None
    assert invitation_for_password(email="no\0body@acme.example", password=password_of(other), now=NOW) is None


def test_password_and_link_end_after_fourteen_days(invited):
    password, token = password_of(invited), token_of(invited)
    last, over = NOW + timedelta(days=14, seconds=-1), NOW + timedelta(days=14)

    assert invitation_for_password(email="jo@acme.example", password=password, now=last) == invited
    assert open_invitation_link(token, now=last) == invited
    assert invitation_for_password(email="jo@acme.example", password=password, now=over) is None
    with pytest.raises(InvitationExpired):
        open_invitation_link(token, now=over)


def test_second_invitation_refreshes_and_ends_the_first_password_and_link(invited, customer, staff):
    Mail.objects.update(state=MailState.SENT)
    password, token = password_of(invited), token_of(invited)

    again = invite_customer(customer=customer, invited_by=staff, now=LATER)

    assert (again.id, again.refresh_count, again.expires_at) == (invited.id, 1, LATER + timedelta(days=14))
    assert (User.objects.filter(email__iexact="jo@acme.example").count(), PortalAccess.objects.count()) == (1, 1)
    assert Mail.objects.count() == 2
    assert invitation_for_password(email="jo@acme.example", password=password, now=LATER) is None
    assert invitation_for_password(email="jo@acme.example", password=password_of(again), now=LATER) == again
    with pytest.raises(InvitationExpired):
        open_invitation_link(token, now=LATER)
    assert open_invitation_link(token_of(again), now=LATER) == again


def test_second_press_changes_and_sends_nothing(invited, customer, staff):
    again = invite_customer(customer=customer, invited_by=staff, now=NOW + timedelta(seconds=30))

    assert (again.id, again.refresh_count, again.invited_at) == (invited.id, 0, NOW)
    assert Mail.objects.count() == 1


def test_second_press_after_the_mail_went_sends_nothing_for_two_minutes(invited, customer, staff):
    Mail.objects.update(state=MailState.SENT)

    invite_customer(customer=customer, invited_by=staff, now=NOW + timedelta(seconds=119))
    assert Mail.objects.count() == 1
    invite_customer(customer=customer, invited_by=staff, now=NOW + timedelta(seconds=121))
    assert Mail.objects.count() == 2


def test_failed_mail_is_followed_by_another_at_once(invited, customer, staff):
    Mail.objects.update(state=MailState.FAILED)

    invite_customer(customer=customer, invited_by=staff, now=NOW + timedelta(seconds=5))

    assert Mail.objects.filter(state=MailState.QUEUED).count() == 1


def test_mail_that_waited_for_weeks_brings_the_new_password_and_no_second_mail(invited, customer, staff):
    Mail.objects.update(state=MailState.DEFERRED)
    weeks_later = NOW + timedelta(days=20)

    again = invite_customer(customer=customer, invited_by=staff, now=weeks_later)

    assert (again.refresh_count, again.expires_at, Mail.objects.count()) == (1, weeks_later + timedelta(days=14), 1)


def test_person_with_a_password_gets_no_other(customer, staff):
    user = UserFactory(email="jo@acme.example")

    invitation = invite_customer(customer=customer, invited_by=staff, now=NOW)

    assert (invitation.access.user, bytes(invitation.password_digest)) == (user, b"")
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    with pytest.raises(InvitationUsed):
        open_invitation_link(token_of(invitation), now=NOW)


def test_staff_become_users_of_the_portal_too(customer, staff):
    customer.contacts.update(email=staff.email)

    invitation = invite_customer(customer=customer, invited_by=staff, now=NOW)

    assert invitation.access.user == staff
    assert staff.memberships.count() == 1


def test_two_customers_with_one_address_are_one_user_with_a_mail_each(customer, staff):
    other = CustomerFactory(contact__email="jo@ACME.example")

    first = invite_customer(customer=customer, invited_by=staff, now=NOW)
    second = invite_customer(customer=other, invited_by=None, now=NOW)

    assert first.access.user == second.access.user
    assert (PortalAccess.objects.count(), Mail.objects.count()) == (2, 2)


def test_customer_without_address_is_refused(staff):
    with pytest.raises(NoAddressOnFile):
        invite_customer(customer=CustomerFactory(contact=False), invited_by=staff, now=NOW)


def test_only_staff_bring_back_removed_access(customer, staff, invited):
    remove_access(access=invited.access, now=NOW)

    with pytest.raises(AccessWasRemoved):
        invite_customer(customer=customer, invited_by=None, now=LATER)
    assert PortalAccess.objects.live().count() == 0

    invitation = invite_customer(customer=customer, invited_by=staff, now=LATER)
    assert PortalAccess.objects.live().count() == 1
    assert open_invitation_link(token_of(invitation), now=LATER) == invitation


def test_accepting_sets_the_password_and_ends_the_invitation(invited):
    generated, token = password_of(invited), token_of(invited)

    user = accept_invitation(invitation=open_invitation_link(token, now=LATER), password=CHOSEN, now=LATER)

    assert user.check_password(CHOSEN)
    assert Invitation.objects.get().accepted_at == LATER
    assert invitation_for_password(email="jo@acme.example", password=generated, now=LATER) is None
    with pytest.raises(InvitationUsed):
        open_invitation_link(token, now=LATER)


def test_accepting_twice_keeps_the_first_password(invited):
    same = Invitation.objects.select_related("access__user").get()
    accept_invitation(invitation=invited, password=CHOSEN, now=LATER)

    with pytest.raises(InvitationUsed):
        accept_invitation(invitation=same, password="some other long words", now=LATER)

    assert User.objects.get(id=invited.access.user_id).check_password(CHOSEN)


def test_accepting_one_accepts_all_of_the_same_person(invited, staff):
    other = invite_customer(customer=CustomerFactory(contact__email="jo@acme.example"), invited_by=staff, now=NOW)
    generated = password_of(other)

    accept_invitation(invitation=invited, password=CHOSEN, now=LATER)

    assert invitation_for_password(email="jo@acme.example", password=generated, now=LATER) is None
    assert Invitation.objects.filter(accepted_at=LATER).count() == 2


@pytest.mark.parametrize("password", ["short", "password123", "jo@acme.example"])
def test_weak_password_is_refused(invited, password):
    with pytest.raises(ValidationError):
        accept_invitation(invitation=invited, password=password, now=NOW)

    assert not User.objects.get(id=invited.access.user_id).has_usable_password()


def test_password_of_the_mail_is_no_password_to_choose(invited):
    with pytest.raises(ValidationError, match="another password"):
        accept_invitation(invitation=invited, password=password_of(invited).upper(), now=NOW)


def test_refreshed_or_expired_invitation_cannot_be_accepted(invited, customer, staff):
    stale = Invitation.objects.select_related("access__user").get()
    Mail.objects.update(state=MailState.SENT)
    fresh = invite_customer(customer=customer, invited_by=staff, now=LATER)

    with pytest.raises(InvitationExpired):
        accept_invitation(invitation=stale, password=CHOSEN, now=LATER)
    with pytest.raises(InvitationExpired):
        accept_invitation(invitation=fresh, password=CHOSEN, now=LATER + timedelta(days=14))


@pytest.mark.parametrize("token", ["", "x", "AAAA", "ü", "a" * 48])
def test_forged_link_is_not_genuine(token):
    with pytest.raises(NotGenuine):
        open_invitation_link(token, now=NOW)


def test_changed_link_is_not_genuine(invited):
    token = token_of(invited)

    with pytest.raises(NotGenuine):
        open_invitation_link(("B" if token[0] == "A" else "A") + token[1:], now=NOW)


def test_link_of_removed_access_has_expired(invited):
    token = token_of(invited)
    remove_access(access=invited.access, now=NOW)

    with pytest.raises(InvitationExpired):
        open_invitation_link(token, now=NOW)


def test_password_is_found_again_after_the_link_key_was_rotated(invited, settings):
    password, old = password_of(invited), settings.LINK_KEYS
    settings.LINK_KEYS = ["a new key that is long enough for all", *old]

    assert password_of(invited) == password
    assert invitation_for_password(email="jo@acme.example", password=password, now=NOW) == invited
    assert open_invitation_link(token_of(invited), now=NOW) == invited


def test_inviting_takes_the_same_statements_for_a_known_person(customer, staff, django_assert_max_num_queries):
    PortalAccessFactory(customer=customer, user=UserFactory(email="jo@acme.example"))

    with django_assert_max_num_queries(18):
        invite_customer(customer=customer, invited_by=staff, now=NOW)


def test_inviting_the_corrected_address_ends_what_the_mistyped_one_got(customer, staff, invited):
    password, token = password_of(invited), token_of(invited)
    customer.contacts.update(email="jo@acme-tools.example")

    right = invite_customer(customer=customer, invited_by=staff, now=LATER)

    assert invitation_for_password(email="jo@acme.example", password=password, now=LATER) is None
    with pytest.raises(InvitationExpired):
        open_invitation_link(token, now=LATER)
    assert PortalAccess.objects.live().get() == right.access
    assert PortalAccess.objects.get(id=invited.access_id).removed_at == LATER
    assert open_invitation_link(token_of(right), now=LATER) == right


def test_former_address_that_signs_in_keeps_its_access(customer, staff, invited):
    accept_invitation(invitation=invited, password=CHOSEN, now=NOW)
    customer.contacts.update(email="max@acme.example")

    invite_customer(customer=customer, invited_by=staff, now=LATER)

    assert PortalAccess.objects.live().count() == 2
    assert Invitation.objects.get(id=invited.id).accepted_at == NOW


def test_former_address_that_used_its_access_keeps_it_without_its_open_invitation(customer, staff, invited):
    PortalAccess.objects.update(last_used_at=NOW)
    customer.contacts.update(email="max@acme.example")

    invite_customer(customer=customer, invited_by=staff, now=LATER)

    assert PortalAccess.objects.live().count() == 2
    assert Invitation.objects.get(id=invited.id).expires_at == LATER


def test_address_on_file_keeps_its_invitation_when_a_former_one_is_invited_again(customer, staff, invited):
    former = PortalAccessFactory(customer=customer, user=UserFactory(email="old@acme.example"), last_used_at=NOW)
    guest = Guest(customer.merchant_id, customer.id, former.user.email, "Old")

    invite_guest(guest, invited_by=None, now=LATER)

    assert open_invitation_link(token_of(invited), now=LATER) == invited


def test_mistyped_address_that_turns_out_right_is_brought_back_by_staff(customer, staff, invited):
    customer.contacts.update(email="jo@acme-tools.example")
    invite_customer(customer=customer, invited_by=staff, now=LATER)
    customer.contacts.update(email="jo@acme.example")

    again = invite_customer(customer=customer, invited_by=staff, now=LATER)

    assert PortalAccess.objects.live().get() == again.access == invited.access
    assert open_invitation_link(token_of(again), now=LATER) == again
