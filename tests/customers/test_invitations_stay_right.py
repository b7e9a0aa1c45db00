"""Whatever is pressed in whatever order: one user an address, one open password a person, nobody mailed twice."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.hashers import is_password_usable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from payorcrm.core.models import User
from payorcrm.customers.answer_ask import answer_password_ask, ask_for_password
from payorcrm.customers.invitation_password import fits, new_password, password_digest, password_of
from payorcrm.customers.invitation_runs import start_run, work_off
from payorcrm.customers.invite import (
    AccessWasRemoved,
    InvitationExpired,
    InvitationUsed,
    accept_invitation,
    invitation_for_password,
    invite_customer,
)
from payorcrm.customers.models import AccessAsk, Invitation, PortalAccess
from payorcrm.customers.portal_access import remove_access
from payorcrm.mail.models import Mail, MailState
from tests.factories.at_once import at_once
from tests.factories.models import NOW, CustomerFactory, MerchantFactory, StaffFactory

CHOSEN = "a quiet harbour morning"
ADDRESSES = ("jo@acme.example", "JO@acme.example", "max@acme.example")


@given(invitation_id=st.uuids(), refresh_count=st.integers(0, 2**31), typed=st.sampled_from(["{}", " {} ", "{}\n"]))
def test_every_password_fits_its_invitation_and_no_other(invitation_id: UUID, refresh_count: int, typed: str) -> None:
    password = new_password(invitation_id, refresh_count)
    invitation = Invitation(id=invitation_id, refresh_count=refresh_count, password_digest=password_digest(password))

    assert password_of(invitation) == password
    assert fits(invitation, typed.format(password.upper().replace("-", " ").replace("1", "l").replace("0", "O")))
    assert not fits(invitation, new_password(invitation_id, refresh_count + 1))
    assert not fits(invitation, password[:-1])


class InvitationsStayRight(TestCase):
    """Hypothesis rolls the database back after every example."""

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        steps=st.lists(
            st.tuples(
                st.sampled_from(["invite", "ask", "run", "accept", "remove", "deliver", "fail"]),
                st.integers(0, 2),
                st.sampled_from([1, 3 * 60, 15 * 24 * 3600]),
            ),
            max_size=14,
        )
    )
    def test_any_order_of_events_leaves_one_open_door_a_person(self, steps):
        merchant = MerchantFactory()
        staff = StaffFactory(merchant=merchant).user
        customers = [CustomerFactory(merchant=merchant, contact__email=address) for address in ADDRESSES]
        now = NOW

        for event, place, seconds in steps:
            now += timedelta(seconds=seconds)
            with suppress(AccessWasRemoved, InvitationUsed, InvitationExpired):
                _happen(event, customers[place], staff, now)

            _assert_right(now)


def _happen(event, customer, staff, now):
    accesses = PortalAccess.objects.live().filter(customer=customer)
    if event == "invite":
        invite_customer(customer=customer, invited_by=staff, now=now)
    elif event == "ask":
        ask_for_password(merchant=customer.merchant, email=customer.contacts.get().email, now=now)
        answer_password_ask(AccessAsk.objects.latest("id").id, now=now)
    elif event == "run":
        work_off(start_run(merchant=customer.merchant, customer_ids=None, started_by=None, now=now).id, now=now)
    elif event == "accept":
        for invitation in Invitation.objects.filter(access__in=accesses):
            accept_invitation(invitation=invitation, password=CHOSEN, now=now)
    elif event == "remove":
        for access in accesses:
            remove_access(access=access, now=now)
    else:
        Mail.objects.filter(state="queued").update(state=MailState.SENT if event == "deliver" else MailState.FAILED)


def _assert_right(now):
    assert User.objects.filter(email__in=["jo@acme.example", "JO@acme.example"]).count() <= 1
    waiting = list(Mail.objects.filter(kind="invitation", state="queued").values_list("about_id", flat=True))
    assert len(waiting) == len(set(waiting))
    for invitation in Invitation.objects.select_related("access__user"):
        user = invitation.access.user
        is_open = (
            invitation.is_open(now=now)
            and invitation.access.removed_at is None
            and not is_password_usable(user.password)
        )
        if bytes(invitation.password_digest):
            found = invitation_for_password(email=user.email, password=password_of(invitation), now=now)
            assert (found == invitation) == is_open
        else:
            assert not is_open


@pytest.mark.django_db(transaction=True)
def test_invited_by_everybody_at_once_is_invited_once():
    customer = CustomerFactory()
    others = [CustomerFactory(contact__email=customer.contacts.get().email.upper()) for _ in range(3)]

    at_once(lambda each: invite_customer(customer=each, invited_by=None, now=NOW), *[customer, *others] * 2)

    assert User.objects.count() == 1
    assert (PortalAccess.objects.count(), Invitation.objects.count(), Mail.objects.count()) == (4, 4, 4)


@pytest.mark.django_db(transaction=True)
def test_accepted_in_two_tabs_at_once_has_one_password():
    invitation = invite_customer(customer=CustomerFactory(), invited_by=None, now=NOW)
    passwords = ["a quiet harbour morning", "another harbour evening"]

    def accept(password):
        mine = Invitation.objects.select_related("access__user").get(id=invitation.id)
        try:
            accept_invitation(invitation=mine, password=password, now=NOW)
        except InvitationUsed:
            return None
        return password

    answers = at_once(accept, *passwords)

    (taken,) = [password for password in answers if password]
    assert len(answers) == 2
    assert User.objects.get().check_password(taken)
