"""Ending an access, and with the last one every session; noting that an access is used."""

from datetime import timedelta

import pytest

from payorcrm.customers.models import PortalAccess
from payorcrm.customers.portal_access import note_use, remove_access
from tests.factories.models import NOW, PortalAccessFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=14)


def test_use_is_noted_to_five_minutes(django_assert_num_queries):
    access = PortalAccessFactory()

    with django_assert_num_queries(1):
        note_use(access, NOW)
        note_use(access, NOW + timedelta(minutes=4))
    note_use(access, NOW + timedelta(minutes=5))

    assert PortalAccess.objects.get().last_used_at == NOW + timedelta(minutes=5)


def test_removing_the_last_access_signs_the_user_out_everywhere(client):
    user = UserFactory()
    first, second = PortalAccessFactory(user=user), PortalAccessFactory(user=user)
    client.force_login(user)
    session_hash = user.get_session_auth_hash()

    remove_access(access=first, now=NOW)
    user.refresh_from_db()
    assert user.get_session_auth_hash() == session_hash

    remove_access(access=second, now=NOW)
    user.refresh_from_db()
    assert (user.get_session_auth_hash() == session_hash, user.has_usable_password()) == (False, False)


def test_staff_keep_their_password_when_their_portal_access_ends():
    staff = StaffFactory()
    access = PortalAccessFactory(user=staff.user)

    remove_access(access=access, now=NOW)

    staff.user.refresh_from_db()
    assert staff.user.has_usable_password()


def test_removing_twice_keeps_the_first_moment():
    access = PortalAccessFactory()

    remove_access(access=access, now=NOW)
    remove_access(access=access, now=LATER)

    assert PortalAccess.objects.get().removed_at == NOW
