"""Roles change from the next click on, and a merchant always keeps an owner."""

import pytest
from django.db import IntegrityError, connection, transaction

from payorcrm.merchants.models import Role, Staff
from payorcrm.staff.change_role import LastOwner, NoLongerOnTheTeam, change_role, remove_from_staff
from tests.factories.models import MerchantFactory, StaffFactory

pytestmark = pytest.mark.django_db


def test_the_last_owner_stays_one():
    owner = StaffFactory()
    StaffFactory(merchant=owner.merchant, role=Role.COLLECTOR)

    with pytest.raises(LastOwner):
        change_role(owner, role=Role.VIEWER)
    with pytest.raises(LastOwner):
        remove_from_staff(owner)

    owner.refresh_from_db()
    assert owner.role == Role.OWNER
    change_role(owner, role=Role.OWNER)


def test_one_of_two_owners_may_go():
    merchant = MerchantFactory()
    first, second = StaffFactory(merchant=merchant), StaffFactory(merchant=merchant)

    change_role(first, role=Role.VIEWER)

    with pytest.raises(LastOwner):
        remove_from_staff(second)
    remove_from_staff(first)
    with pytest.raises(NoLongerOnTheTeam):
        change_role(first, role=Role.OWNER)


@pytest.mark.parametrize("harm", [lambda rows: rows.update(role=Role.VIEWER), lambda rows: rows.delete()])
def test_the_database_keeps_an_owner_whatever_the_code_does(harm):
    owner = StaffFactory()

    def commit_harm():
        with transaction.atomic():
            harm(Staff.objects.filter(id=owner.id))
            connection.check_constraints()

    with pytest.raises(IntegrityError, match="keeps an owner"):
        commit_harm()


def test_a_merchant_may_go_with_its_owner():
    owner = StaffFactory()

    owner.merchant.delete()

    connection.check_constraints()
    assert not Staff.objects.filter(id=owner.id).exists()
