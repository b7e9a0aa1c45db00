"""A run: thousands invited in batches, nobody twice, however often and wherever it is interrupted."""

from datetime import timedelta

import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from payorcrm.core.models import User
from payorcrm.customers import invitation_runs
from payorcrm.customers.invitation_runs import BATCH_SIZE, plan_run, progress_of, start_run, unfinished_runs, work_off
from payorcrm.customers.invite import invite_customer
from payorcrm.customers.jobs import continue_runs
from payorcrm.customers.models import Contact, Customer, Invitation, InvitationLine, LineOutcome, PortalAccess
from payorcrm.customers.portal_access import remove_access
from payorcrm.mail.models import Mail, MailState
from tests.factories.at_once import at_once
from tests.factories.models import (
    NOW,
    CustomerFactory,
    MerchantFactory,
    PortalAccessFactory,
    StaffFactory,
    UserFactory,
)

LATER = NOW + timedelta(days=3)


def many_customers(merchant, count, *, shared=0, without_address=0):
    """Make customers fast; the first `shared` have one address, the last ones none."""
    customers = Customer.objects.bulk_create(
        Customer(merchant=merchant, number=f"C{place:05}", company_name=f"Company {place:05}") for place in range(count)
    )
    with_address = customers[: count - without_address]
    Contact.objects.bulk_create(
        Contact(
            merchant=merchant,
            customer=customer,
            is_primary=True,
            first_name="Jo",
            email="shared@acme.example" if place < shared else f"Jo{place}@acme.example",
        )
        for place, customer in enumerate(with_address)
    )
    return customers


def run_of(merchant, customer_ids=None, now=NOW):
    return start_run(merchant=merchant, customer_ids=customer_ids, started_by=None, now=now)


def outcomes(run):
    return dict(InvitationLine.objects.filter(run=run).values_list("customer__number", "outcome"))


@pytest.fixture
def mixed(db):
    """A merchant with a customer of every kind."""
    merchant = MerchantFactory()
    for number in ("new", "invited", "signs-in", "removed", "staff"):
        CustomerFactory(merchant=merchant, number=number)
    CustomerFactory(merchant=merchant, number="no-address", contact__email="")
    CustomerFactory(merchant=merchant, number="no-contact", contact=False)
    CustomerFactory(number="elsewhere")

    def customer(number):
        return merchant.customers.get(number=number)

    invite_customer(customer=customer("invited"), invited_by=None, now=NOW)
    removed = invite_customer(customer=customer("removed"), invited_by=None, now=NOW)
    remove_access(access=removed.access, now=NOW)
    Mail.objects.update(state=MailState.SENT)
    PortalAccessFactory(customer=customer("signs-in"), user=UserFactory(email="JO.SIGNS-IN@acme.example"))
    StaffFactory(merchant=merchant, user__email="jo.staff@acme.example")
    return merchant


EXPECTED = {
    "new": "invited",
    "invited": "invited",
    "staff": "invited",
    "signs-in": "signs_in",
    "removed": "removed",
    "no-address": "no_address",
    "no-contact": "no_address",
}


def test_plan_says_whom_a_run_would_invite_and_why_not_the_others(mixed):
    plan = plan_run(merchant=mixed, customer_ids=None)

    assert plan.to_invite == 3
    assert sorted(plan.addresses) == ["jo.invited@acme.example", "jo.new@acme.example", "jo.staff@acme.example"]
    assert {customer.number: reason.value for customer, reason in plan.skipped} == {
        number: outcome for number, outcome in EXPECTED.items() if outcome != "invited"
    }
    assert (plan.more_addresses, plan.skipped_count, plan.more_skipped) == (0, 4, 0)
    assert InvitationLine.objects.count() == 0


def test_run_does_what_the_plan_said(mixed):
    run = run_of(mixed, now=LATER)

    assert work_off(run.id, now=LATER) is False

    assert outcomes(run) == EXPECTED
    run.refresh_from_db()
    assert run.finished_at == LATER
    mails = Mail.objects.filter(queued_at=LATER)
    assert {mail.to_address for mail in mails} == {
        "jo.invited@acme.example",
        "jo.new@acme.example",
        "jo.staff@acme.example",
    }
    assert {(mail.kind, mail.is_bulk, mail.merchant_id) for mail in mails} == {("invitation", True, mixed.id)}
    assert PortalAccess.objects.filter(removed_at=None, customer__number="removed").count() == 0


def test_run_of_chosen_customers_leaves_others_and_other_merchants_alone(mixed):
    mine, foreign = mixed.customers.get(number="new"), Customer.objects.get(number="elsewhere")

    run = run_of(mixed, [mine.id, foreign.id], LATER)
    work_off(run.id, now=LATER)

    assert outcomes(run) == {"new": "invited"}
    assert plan_run(merchant=mixed, customer_ids=[mine.id, foreign.id]).to_invite == 1


def test_progress_counts_customers_and_mails(mixed):
    run = run_of(mixed, now=LATER)
    assert (progress_of(run).total, progress_of(run).done) == (7, 0)

    work_off(run.id, now=LATER)
    Mail.objects.filter(queued_at=LATER, to_address="jo.new@acme.example").update(state=MailState.SENT)
    Mail.objects.filter(queued_at=LATER, to_address="jo.staff@acme.example").update(state=MailState.FAILED)

    progress = progress_of(run)
    assert (progress.total, progress.done, progress.sent, progress.failed) == (7, 7, 1, 1)
    assert progress.counts == {
        LineOutcome.INVITED: 3,
        LineOutcome.NO_ADDRESS: 2,
        LineOutcome.SIGNS_IN: 1,
        LineOutcome.REMOVED: 1,
    }
    assert {customer.number for customer, _ in progress.left_out} == {"no-address", "no-contact", "signs-in", "removed"}
    assert progress.more_left_out == 0


@pytest.mark.django_db
def test_run_starts_a_job_that_works_it_off():
    merchant = CustomerFactory().merchant
    run = run_of(merchant)

    waiting = ProcrastinateJob.objects.get(task_name="payorcrm.customers.jobs.work_off_run")
    app.tasks[waiting.task_name](**waiting.args)

    assert progress_of(run).done == 1


@pytest.mark.django_db
def test_second_press_leads_to_the_run_under_way():
    merchant = CustomerFactory().merchant

    first, second = run_of(merchant), run_of(merchant, now=NOW + timedelta(seconds=1))

    assert first.id == second.id


@pytest.mark.django_db
def test_second_press_after_a_finished_run_sends_nothing_again():
    merchant = CustomerFactory().merchant
    work_off(run_of(merchant).id, now=NOW)

    soon = NOW + timedelta(seconds=20)
    again = run_of(merchant, now=soon)
    work_off(again.id, now=soon)

    assert outcomes(again).popitem()[1] == "invited"
    assert Mail.objects.count() == 1


@pytest.mark.django_db
def test_second_run_takes_only_customers_who_do_not_wait_in_the_first():
    merchant = MerchantFactory()
    first_customer, second_customer = CustomerFactory(merchant=merchant), CustomerFactory(merchant=merchant)

    run_of(merchant, [first_customer.id])
    both = run_of(merchant)

    assert set(outcomes(both)) == {second_customer.number}


@pytest.mark.django_db
def test_run_without_customers_is_finished():
    run = run_of(MerchantFactory())

    assert run.finished_at == NOW
    assert (progress_of(run).total, unfinished_runs()) == (0, [])


@pytest.mark.django_db
def test_customers_with_one_address_share_a_user_and_get_a_mail_each():
    merchant = MerchantFactory()
    many_customers(merchant, 5, shared=3)

    work_off(run_of(merchant).id, now=NOW)

    assert User.objects.count() == 3
    assert PortalAccess.objects.filter(user__email="shared@acme.example").count() == 3
    assert Mail.objects.filter(to_address="shared@acme.example").count() == 3


@pytest.mark.django_db
def test_statements_of_a_batch_do_not_grow_with_its_customers(django_assert_num_queries):
    small, large = MerchantFactory(), MerchantFactory()
    many_customers(small, 1)
    many_customers(large, BATCH_SIZE - 1)
    Contact.objects.filter(merchant=large).update(email=Concat(Value("large-"), "email"))
    runs = [run_of(small), run_of(large)]

    for run in runs:
        with django_assert_num_queries(17):
            work_off(run.id, now=NOW)


class Killed(Exception):
    """The worker went away between two statements."""


@pytest.mark.django_db(transaction=True)
def test_five_thousand_are_invited_once_though_the_run_is_interrupted_in_every_place(monkeypatch):
    merchant = MerchantFactory()
    many_customers(merchant, 5_000, shared=40, without_address=60)
    run = run_of(merchant)
    original = invitation_runs._mark
    calls = iter(range(10_000))

    def dies_sometimes(outcomes):
        original(outcomes)
        if next(calls) % 3 == 2:
            raise Killed

    monkeypatch.setattr(invitation_runs, "_mark", dies_sometimes)
    interruptions = 0
    while unfinished_runs():
        try:
            work_off(run.id, now=NOW)
        except Killed:
            interruptions += 1

    assert interruptions >= 8
    progress = progress_of(run)
    assert progress.counts == {LineOutcome.INVITED: 4_940, LineOutcome.NO_ADDRESS: 60}
    assert Mail.objects.count() == Mail.objects.values("customer").distinct().count() == 4_940
    assert Invitation.objects.filter(refresh_count=0).count() == PortalAccess.objects.count() == 4_940
    assert User.objects.count() == 4_901


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_run_invite_everybody_once():
    merchant = MerchantFactory()
    many_customers(merchant, 2_000)
    run = run_of(merchant)

    def work(_: int) -> None:
        for _again in range(200):
            if not unfinished_runs():
                return
            work_off(run.id, now=NOW)

    at_once(work, 1, 2)

    assert unfinished_runs() == []
    assert Mail.objects.count() == Mail.objects.values("to_address").distinct().count() == 2_000
    assert Invitation.objects.filter(refresh_count=0).count() == 2_000


@pytest.mark.django_db(transaction=True)
def test_runs_of_two_merchants_with_the_same_addresses_do_not_block_each_other():
    merchants = [MerchantFactory(), MerchantFactory()]
    for merchant in merchants:
        many_customers(merchant, 600)
    # The other merchant's customers stand in the opposite order.
    Customer.objects.filter(merchant=merchants[1]).update(company_name="Same")
    runs = [run_of(merchant) for merchant in merchants]

    at_once(lambda run: work_off(run.id, now=NOW), *runs)

    assert (User.objects.count(), Mail.objects.count()) == (600, 1_200)


@pytest.mark.django_db
def test_the_timetable_goes_on_with_a_run_that_was_left():
    run = run_of(CustomerFactory().merchant)

    continue_runs(timestamp=0)
    continue_runs(timestamp=60)

    keyed = ProcrastinateJob.objects.filter(queueing_lock=f"invitations {run.id}")
    assert [job.args for job in keyed] == [{"run_id": str(run.id)}]


@pytest.mark.django_db
def test_run_whose_customers_are_gone_is_finished():
    customer = CustomerFactory()
    run = run_of(customer.merchant)
    customer.delete()

    assert work_off(run.id, now=NOW) is False

    assert unfinished_runs() == []
    assert progress_of(run).total == 0
