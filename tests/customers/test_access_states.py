"""How far customers have come into the portal: one statement for a list, whatever stands in it."""

from datetime import timedelta

import pytest

from payorcrm.customers.access_states import (
    AccessState,
    InvitationState,
    access_states_of,
    invitation_state,
    states_of_accesses,
)
from payorcrm.customers.invite import accept_invitation, invite_customer
from payorcrm.customers.portal_access import note_use, remove_access
from payorcrm.mail.models import Mail, MailState
from tests.factories.models import NOW, CustomerFactory, PortalAccessFactory

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=14)


def invited(customer=None, now=NOW):
    return invite_customer(customer=customer or CustomerFactory(), invited_by=None, now=now)


def state_of(customer, now=NOW):
    return access_states_of([customer.id], now=now)[customer.id]


def test_customer_without_users_is_not_invited():
    assert state_of(CustomerFactory()) == AccessState(InvitationState.NOT_INVITED)


def test_invited_customer_expires_after_fourteen_days():
    customer = invited().access.customer

    assert state_of(customer) == AccessState(InvitationState.INVITED, NOW)
    assert state_of(customer, LATER).state is InvitationState.EXPIRED


@pytest.mark.parametrize("mail_state", [MailState.FAILED, MailState.BOUNCED])
def test_mail_that_did_not_arrive_shows(mail_state):
    customer = invited().access.customer
    Mail.objects.update(state=mail_state)

    assert state_of(customer).state is InvitationState.MAIL_FAILED


def test_newer_mail_replaces_the_failed_one():
    customer = invited().access.customer
    Mail.objects.update(state=MailState.FAILED)
    invited(customer, NOW + timedelta(hours=1))

    assert state_of(customer, NOW + timedelta(hours=1)).state is InvitationState.INVITED


def test_accepted_invitation_is_a_login():
    invitation = invited()
    accept_invitation(invitation=invitation, password="a quiet harbour morning", now=NOW)
    note_use(invitation.access, NOW + timedelta(hours=2))

    state = state_of(invitation.access.customer, LATER)

    assert (state.state, state.has_login, state.last_used_at) == (
        InvitationState.SIGNS_IN,
        True,
        NOW + timedelta(hours=2),
    )


def test_first_sign_in_without_an_own_password_is_no_login_yet():
    invitation = invited()
    note_use(invitation.access, NOW)

    assert state_of(invitation.access.customer).state is InvitationState.INVITED


def test_of_several_users_the_farthest_counts():
    customer = CustomerFactory()
    access = PortalAccessFactory(customer=customer)
    note_use(access, NOW)
    invited(customer)

    state = state_of(customer, LATER)

    assert state == AccessState(InvitationState.SIGNS_IN, NOW, NOW)


def test_removed_users_do_not_count():
    access = PortalAccessFactory()
    remove_access(access=access, now=NOW)

    assert state_of(access.customer).state is InvitationState.NOT_INVITED
    assert invitation_state(access, now=NOW) is InvitationState.NOT_INVITED


def test_states_of_thirty_take_one_statement(django_assert_num_queries):
    accesses = [invited().access for _ in range(30)]
    customer_ids = [access.customer_id for access in accesses]

    with django_assert_num_queries(1):
        states = access_states_of(customer_ids, now=NOW)
    with django_assert_num_queries(1):
        by_access = states_of_accesses(accesses, now=NOW)

    assert {state.state for state in states.values()} == {InvitationState.INVITED}
    assert set(by_access) == {access.id for access in accesses}
    with django_assert_num_queries(0):
        assert access_states_of([], now=NOW) == {}
