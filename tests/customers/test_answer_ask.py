"""Forgot password: the same writes whatever is asked; the answer is a mail to an address that is known, or nothing."""

from datetime import timedelta

import pytest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from payorcrm.core.models import User
from payorcrm.customers.answer_ask import answer_password_ask, ask_for_password, ask_to_register, forget_asks
from payorcrm.customers.invite import invite_customer
from payorcrm.customers.models import AccessAsk, PortalAccess
from payorcrm.customers.portal_access import remove_access
from payorcrm.mail.models import Mail, MailState
from tests.factories.models import (
    NOW,
    CustomerFactory,
    MerchantFactory,
    PortalAccessFactory,
    StaffFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def merchant():
    return MerchantFactory()


def ask(merchant, email, now=LATER):
    """Ask and answer, and return the kinds of the mails that went out for it."""
    before = set(Mail.objects.values_list("id", flat=True))
    ask_for_password(merchant=merchant, email=email, now=now)
    answer_password_ask(AccessAsk.objects.latest("id").id, now=now)
    return list(Mail.objects.exclude(id__in=before).values_list("kind", "to_address"))


def test_question_is_stored_with_its_job_and_says_nothing(merchant, django_assert_num_queries):
    PortalAccessFactory(customer__merchant=merchant, user=UserFactory(email="jo@acme.example"))

    statements = []
    for email in ("jo@acme.example", "nobody@acme.example"):
        with django_assert_num_queries(4) as captured:
            assert ask_for_password(merchant=merchant, email=email, now=NOW) is None
        statements.append([query["sql"].split()[0] for query in captured])

    assert statements[0] == statements[1]
    assert AccessAsk.objects.count() == ProcrastinateJob.objects.count() == 2
    assert Mail.objects.count() == 0


def test_jobs_of_questions_run(merchant):
    access = PortalAccessFactory(customer__merchant=merchant)
    ask_for_password(merchant=merchant, email=access.user.email, now=NOW)
    ask_to_register(merchant=merchant, email=access.user.email, invoice_number="1", now=NOW)

    for waiting in ProcrastinateJob.objects.order_by("id"):
        app.tasks[waiting.task_name](**waiting.args)

    assert Mail.objects.get().kind == "password_reset"
    assert AccessAsk.objects.filter(answered_at=None).count() == 0


def test_user_with_a_password_gets_the_way_to_a_new_one(merchant):
    access = PortalAccessFactory(customer__merchant=merchant, user=UserFactory(email="Jo@acme.example"))

    assert ask(merchant, "jo@ACME.example") == [("password_reset", "Jo@acme.example")]

    mail = Mail.objects.get()
    assert (mail.about_id, mail.merchant, mail.customer, mail.is_bulk) == (
        access.user_id,
        merchant,
        access.customer,
        False,
    )


def test_invited_person_without_a_password_gets_the_invitation_again(merchant):
    customer = CustomerFactory(merchant=merchant, contact__email="jo@acme.example")
    invitation = invite_customer(customer=customer, invited_by=None, now=NOW)
    Mail.objects.update(state=MailState.SENT)

    assert ask(merchant, "jo@acme.example") == [("invitation", "jo@acme.example")]

    invitation.refresh_from_db()
    assert invitation.refresh_count == 1


def test_mistyped_address_gets_no_invitation_once_it_was_corrected(merchant):
    customer = CustomerFactory(merchant=merchant, contact__email="jo@acne.example")
    invite_customer(customer=customer, invited_by=None, now=NOW)
    Mail.objects.update(state=MailState.SENT)
    customer.contacts.update(email="jo@acme.example")

    before_the_second_invitation = ask(merchant, "jo@acne.example")
    invite_customer(customer=customer, invited_by=None, now=NOW)
    Mail.objects.update(state=MailState.SENT)

    assert before_the_second_invitation == []
    assert ask(merchant, "jo@acne.example") == []
    assert ask(merchant, "jo@acme.example") == [("invitation", "jo@acme.example")]


def test_person_who_used_the_access_is_invited_again_though_the_address_on_file_is_another(merchant):
    customer = CustomerFactory(merchant=merchant, contact__email="jo@acme.example")
    invite_customer(customer=customer, invited_by=None, now=NOW)
    PortalAccess.objects.update(last_used_at=NOW)
    Mail.objects.update(state=MailState.SENT)
    customer.contacts.update(email="max@acme.example")

    assert ask(merchant, "jo@acme.example") == [("invitation", "jo@acme.example")]


def test_address_on_file_of_one_customer_and_former_one_of_another_is_invited_to_the_one(merchant):
    former = CustomerFactory(merchant=merchant, contact__email="jo@acme.example")
    invite_customer(customer=former, invited_by=None, now=NOW)
    former.contacts.update(email="max@acme.example")
    current = CustomerFactory(merchant=merchant, contact__email="jo@acme.example")

    ask(merchant, "jo@acme.example")

    assert Mail.objects.latest("id").customer == current


def test_address_on_file_that_never_got_a_mail_is_invited(merchant):
    CustomerFactory(merchant=merchant, contact__email="Jo@acme.example")

    assert ask(merchant, "jo@acme.example") == [("invitation", "Jo@acme.example")]


def test_user_of_several_customers_gets_one_mail(merchant):
    user = UserFactory()
    for _ in range(3):
        PortalAccessFactory(customer__merchant=merchant, user=user)

    assert ask(merchant, user.email) == [("password_reset", user.email)]


@pytest.mark.parametrize("email", ["nobody@acme.example", "", "%", "jo\0@acme.example", "x" * 400])
def test_unknown_address_gets_nothing(merchant, email):
    CustomerFactory(merchant=merchant)

    assert ask(merchant, email) == []
    assert User.objects.count() == 0


def test_address_of_another_merchant_gets_nothing(merchant):
    access = PortalAccessFactory()
    CustomerFactory(contact__email="jo@acme.example")

    assert ask(merchant, access.user.email) == []
    assert ask(merchant, "jo@acme.example") == []


def test_staff_without_a_portal_get_nothing(merchant):
    staff = StaffFactory(merchant=merchant)

    assert ask(merchant, staff.user.email) == []


def test_contact_who_is_not_the_address_on_file_gets_nothing(merchant):
    customer = CustomerFactory(merchant=merchant)
    customer.contacts.create(merchant=merchant, email="second@acme.example")

    assert ask(merchant, "second@acme.example") == []


def test_removed_access_stays_removed(merchant):
    customer = CustomerFactory(merchant=merchant, contact__email="jo@acme.example")
    access = PortalAccessFactory(customer=customer, user=UserFactory(email="jo@acme.example"))
    remove_access(access=access, now=NOW)

    assert ask(merchant, "jo@acme.example") == []
    assert PortalAccess.objects.live().count() == 0
    assert AccessAsk.objects.get().answered_at == LATER


def test_inactive_user_gets_nothing(merchant):
    access = PortalAccessFactory(customer__merchant=merchant, user=UserFactory(is_active=False))

    assert ask(merchant, access.user.email) == []


def test_asking_again_at_once_sends_no_second_mail(merchant):
    access = PortalAccessFactory(customer__merchant=merchant)

    assert len(ask(merchant, access.user.email)) == 1
    assert ask(merchant, access.user.email, LATER + timedelta(seconds=30)) == []
    assert len(ask(merchant, access.user.email, LATER + timedelta(seconds=90))) == 1


def test_answering_twice_sends_one_mail(merchant):
    access = PortalAccessFactory(customer__merchant=merchant)
    ask_for_password(merchant=merchant, email=access.user.email, now=NOW)
    ask_id = AccessAsk.objects.get().id

    answer_password_ask(ask_id, now=NOW)
    answer_password_ask(ask_id, now=LATER)

    assert Mail.objects.count() == 1


def test_questions_are_forgotten_after_a_day(merchant):
    ask_for_password(merchant=merchant, email="jo@acme.example", now=NOW)

    forget_asks(now=NOW + timedelta(hours=23))
    assert AccessAsk.objects.count() == 1
    forget_asks(now=NOW + timedelta(hours=25))
    assert AccessAsk.objects.count() == 0
