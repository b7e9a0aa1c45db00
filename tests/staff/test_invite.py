"""A colleague is invited by mail, proves the address by its link, and joins with the role that an owner chose."""

from datetime import timedelta

import pytest

from payorcrm.core.models import User
from payorcrm.core.signing import NotGenuine
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Role, Staff
from payorcrm.staff.invite import (
    INVITATION_LIFE,
    AlreadyOnTheTeam,
    InvitationIsOver,
    InvitedJustNow,
    invite_colleague,
    send_again,
    withdraw,
)
from payorcrm.staff.join import (
    HasAnAccount,
    InvitedSomebodyElse,
    LinkIsOver,
    join,
    join_link,
    join_with_new_account,
    open_join_link,
)
from payorcrm.staff.mails import compose_staff_invitations
from payorcrm.staff.models import StaffInvitation
from tests.factories.models import NOW, PASSWORD, MerchantFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def invited(merchant=None, email="Vera@mail.example", role=Role.VIEWER, now=NOW):
    merchant = merchant or MerchantFactory(name="Harbor")
    owner = StaffFactory(merchant=merchant).user
    return invite_colleague(merchant=merchant, email=email, role=role, invited_by=owner, now=now)


def token_of(invitation, now=NOW):
    return join_link(invitation, now).split("/join/")[1].rstrip("/")


def test_the_mail_says_who_invites_to_what_and_holds_a_link_that_lasts_seven_days():
    invitation = invited()
    mail = Mail.objects.get(kind="staff_invitation")

    draft = compose_staff_invitations([mail], NOW)[mail.id]

    assert mail.to_address == "Vera@mail.example"
    assert "see everything, and to change nothing" in draft.text
    assert "works for 7 days" in draft.text
    link = next(line for line in draft.text.splitlines() if "/join/" in line)
    assert open_join_link(link.split("/join/")[1].rstrip("/"), now=NOW + timedelta(days=6)) == invitation
    with pytest.raises(LinkIsOver):
        open_join_link(link.split("/join/")[1].rstrip("/"), now=NOW + INVITATION_LIFE)


def test_somebody_new_joins_with_a_name_and_a_password():
    invitation = invited()

    staff = join_with_new_account(invitation, name="Vera", password=PASSWORD, now=LATER)

    assert (staff.role, staff.user.email, staff.user.name) == (Role.VIEWER, "Vera@mail.example", "Vera")
    assert staff.user.check_password(PASSWORD)
    with pytest.raises(LinkIsOver):
        join(invitation, user=staff.user, now=LATER)


def test_a_customer_without_a_password_joins_with_a_new_one():
    customer = User.objects.create_user("vera@mail.example", None)

    staff = join_with_new_account(invited(), name="", password=PASSWORD, now=LATER)

    assert staff.user == customer


def test_who_has_an_account_cannot_be_given_another_password_by_the_link():
    user = UserFactory(email="vera@mail.example")

    with pytest.raises(HasAnAccount):
        join_with_new_account(invited(), name="", password="another one that is long", now=LATER)

    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert join(invited(email="vera@mail.example"), user=user, now=LATER).role == Role.VIEWER


def test_a_link_is_for_the_invited_person_alone():
    invitation = invited()

    with pytest.raises(InvitedSomebodyElse):
        join(invitation, user=UserFactory(email="other@mail.example"), now=LATER)
    with pytest.raises(NotGenuine):
        open_join_link(token_of(invitation)[:-2] + "AA", now=NOW)


def test_sending_again_ends_the_link_before_and_withdrawing_ends_all():
    invitation = invited()
    first = token_of(invitation)

    second = token_of(send_again(invitation, now=LATER))

    with pytest.raises(LinkIsOver):
        open_join_link(first, now=LATER)
    assert open_join_link(second, now=LATER) == invitation
    withdraw(invitation, now=LATER)
    with pytest.raises(LinkIsOver):
        open_join_link(second, now=LATER)
    with pytest.raises(InvitationIsOver):
        send_again(invitation, now=LATER + timedelta(hours=1))
    mails = list(Mail.objects.filter(kind="staff_invitation"))
    assert compose_staff_invitations(mails, LATER) == {}


def test_a_second_press_sends_nothing_and_inviting_again_changes_the_role():
    merchant = MerchantFactory()
    invited(merchant)

    with pytest.raises(InvitedJustNow):
        invited(merchant, email="vera@MAIL.example")
    again = invited(merchant, email="vera@mail.example", role=Role.OWNER, now=LATER)

    assert StaffInvitation.objects.get() == again
    assert again.role == Role.OWNER
    assert Mail.objects.filter(state=MailState.QUEUED).count() == 2


def test_who_is_on_the_team_is_not_invited_and_keeps_the_role_that_they_have():
    merchant = MerchantFactory()
    member = StaffFactory(merchant=merchant, user__email="vera@mail.example", role=Role.COLLECTOR)

    with pytest.raises(AlreadyOnTheTeam):
        invited(merchant)

    Staff.objects.filter(id=member.id).delete()
    invitation = invited(merchant)
    Staff.objects.create(merchant=merchant, user=member.user, role=Role.COLLECTOR)
    assert join(invitation, user=member.user, now=LATER).role == Role.COLLECTOR
