"""A business that signed itself up sends a limited number of mails a day, until somebody vouches for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from payorcrm.mail.claim import WayOut
from payorcrm.mail.keep_sender import keep_sender, sender_of
from payorcrm.mail.limit import allowance_of
from payorcrm.mail.models import Mail, MailSender, MailState
from payorcrm.mail.trust import trust
from payorcrm.merchants.models import Merchant
from tests.factories.models import NOW, MerchantFactory, StaffFactory
from tests.factories.outbox import deliver, queued
from tests.factories.own_server import own_sender
from tests.factories.smtp import ScriptedServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def new(settings: Settings) -> Merchant:
    """A merchant that nobody vouches for, of ten mails a day."""
    settings.NEW_ACCOUNT_MAILS_PER_DAY = 10
    return MerchantFactory(is_trusted=False, time_zone="America/New_York")


def run_of(merchant: Merchant, count: int, **fields: Any) -> list[Mail]:
    return [queued(f"jo{n}@acme.example", merchant=merchant, is_bulk=True, **fields) for n in range(count)]


def states_of(mails: list[Mail]) -> list[str]:
    rows = Mail.objects.in_bulk([mail.id for mail in mails])
    return [rows[mail.id].state for mail in mails]


def test_a_run_stops_before_the_limit_and_the_rest_says_why_it_waits(server: ScriptedServer, new: Merchant) -> None:
    mails = run_of(new, 12)

    deliver()

    assert states_of(mails) == [MailState.SENT] * 8 + [MailState.DEFERRED] * 4
    mails[-1].refresh_from_db()
    assert mails[-1].last_error.startswith("Over the limit of a new account: 10 mails to customers a day.")
    assert (mails[-1].send_after.date(), mails[-1].attempt_count) == (NOW.date() + timedelta(days=1), 0)
    standing = allowance_of(new, now=NOW)
    assert (standing.limit, standing.used, standing.waiting) == (10, 8, 4)


def test_what_somebody_waits_for_goes_out_after_a_run_as_well_and_then_waits_too(
    server: ScriptedServer, new: Merchant
) -> None:
    run_of(new, 12)
    deliver()
    confirmations = [queued(f"payer{n}@acme.example", merchant=new) for n in range(3)]

    deliver()

    assert states_of(confirmations) == [MailState.SENT, MailState.SENT, MailState.DEFERRED]
    confirmations[2].refresh_from_db()
    assert confirmations[2].send_after == allowance_of(new, now=NOW).again_at


def test_the_rest_of_a_run_goes_on_the_days_after_at_the_time_at_which_it_was_to_go(
    server: ScriptedServer, new: Merchant
) -> None:
    nine = datetime(2026, 10, 31, 13, 0, tzinfo=UTC)  # in New York; the clocks are put back in the night after
    mails = run_of(new, 20, send_after=nine)

    deliver(nine)
    ten = datetime(2026, 11, 1, 14, 0, tzinfo=UTC)
    deliver(ten - timedelta(minutes=1))
    assert len(server.mails) == 8
    deliver(ten)
    assert len(server.mails) == 16
    deliver(ten + timedelta(days=1))

    assert set(states_of(mails)) == {MailState.SENT}


def test_another_time_zone_makes_no_new_day(server: ScriptedServer, new: Merchant) -> None:
    nine = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # in Kiritimati, the day ends an hour later
    run_of(new, 12, send_after=nine)
    deliver(nine)
    new.time_zone = "Pacific/Kiritimati"
    new.save()

    late = run_of(new, 2, send_after=nine + timedelta(hours=2))
    deliver(nine + timedelta(hours=2))

    assert states_of(late) == [MailState.DEFERRED] * 2
    assert len(server.mails) == 8
    assert allowance_of(new, now=nine).again_at == datetime(2026, 11, 21, tzinfo=UTC)


def test_the_merchants_own_people_do_not_count_unless_others_get_a_copy(server: ScriptedServer, new: Merchant) -> None:
    person = StaffFactory(merchant=new).user
    for _ in range(15):
        queued(person.email.upper(), merchant=new)
    copied = queued(person.email, merchant=new, cc=[f"stranger{n}@x.example" for n in range(20)])
    customer = queued(merchant=new)

    deliver()

    assert states_of([copied, customer]) == [MailState.SENT, MailState.DEFERRED]
    assert allowance_of(new, now=NOW).used == 21


def test_others_notice_nothing(server: ScriptedServer, new: Merchant) -> None:
    run_of(new, 12)
    trusted = run_of(MerchantFactory(), 12)
    nobodys = [queued() for _ in range(3)]

    deliver()

    assert set(states_of(trusted + nobodys)) == {MailState.SENT}


def test_an_own_server_ends_the_limit_and_what_waited_is_due(server: ScriptedServer, new: Merchant) -> None:
    run_of(new, 12)
    deliver()
    own = ScriptedServer()

    sender = own_sender(own, merchant=new)
    keep_sender(sender, now=NOW)
    own.stop()

    assert WayOut(new.id).has_due(now=NOW)
    assert not WayOut().has_due(now=NOW)
    assert len(WayOut(new.id).claim(now=NOW)) == 4
    assert allowance_of(new, now=NOW) is None


def test_trust_ends_the_limit_and_what_waited_goes_out(server: ScriptedServer, new: Merchant) -> None:
    mails = run_of(new, 12)
    deliver()

    assert trust(new, now=NOW) == 4
    deliver()

    assert set(states_of(mails)) == {MailState.SENT}
    new.refresh_from_db()
    assert allowance_of(new, now=NOW) is None


def test_a_mail_that_the_server_did_not_take_leaves_its_place_to_another(server: ScriptedServer, new: Merchant) -> None:
    server.at_recipient["jo0@acme.example"] = ["550 5.1.1 No"]
    run_of(new, 8)
    deliver()

    late = [queued(f"late{n}@acme.example", merchant=new, is_bulk=True) for n in range(2)]
    deliver()

    assert states_of(late) == [MailState.SENT, MailState.DEFERRED]


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_grow_with_the_mails(
    new: Merchant, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        run_of(MerchantFactory(is_trusted=False), count)

    with django_assert_num_queries(2 + 3):  # a savepoint; who is limited, who may go, and claiming
        WayOut().claim(now=NOW)


@pytest.mark.django_db(transaction=True)
def test_many_workers_together_send_no_more_than_one(new: Merchant) -> None:
    run_of(new, 40)
    workers = 4
    together = Barrier(workers)

    def work(_: int) -> int:
        together.wait()
        try:
            return sum(len(WayOut(limit=3).claim(now=NOW)) for _ in range(4))
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        claimed = sum(pool.map(work, range(workers)))

    claimed += len(WayOut().claim(now=NOW))  # whoever met another worker may have left something
    assert claimed == 8
    assert Mail.objects.filter(state=MailState.DEFERRED).count() == 32


def on_another_connection(act: Callable[[], Any]) -> Any:
    """Do something on a connection of its own, which waits for no lock for long."""

    def on_its_own() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as another:
        return another.submit(on_its_own).result()


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_new_account_that_is_busy(new: Merchant) -> None:
    mails = run_of(new, 12)
    others = [queued(merchant=MerchantFactory()), queued(merchant=MerchantFactory(is_trusted=False)), queued()]

    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=new.id)
        claimed = on_another_connection(lambda: WayOut().claim(now=NOW))

    assert {mail.id for mail in claimed} == {mail.id for mail in others}
    assert set(states_of(mails)) == {MailState.QUEUED}
    assert len(WayOut().claim(now=NOW)) == 8


@pytest.mark.django_db(transaction=True)
def test_what_is_claimed_at_the_same_moment_is_not_put_off(new: Merchant) -> None:
    mails = run_of(new, 12)
    claims = Event()

    def claim_slowly() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            Mail.objects.filter(id=mails[-1].id).update(state=MailState.SENDING)
            claims.set()
            cursor.execute("SELECT pg_sleep(0.2)")

    with ThreadPoolExecutor(1) as another:
        claiming = another.submit(on_another_connection, claim_slowly)
        claims.wait(10)
        assert len(WayOut().claim(now=NOW)) == 8
        claiming.result()

    assert states_of(mails) == [MailState.SENDING] * 8 + [MailState.DEFERRED] * 3 + [MailState.SENDING]


def test_a_name_for_the_sender_alone_lifts_nothing(server: ScriptedServer, new: Merchant) -> None:
    mails = run_of(new, 12)
    deliver()
    sender: MailSender = sender_of(new)
    sender.from_name = "Harbor"

    keep_sender(sender, now=NOW)
    deliver()

    assert states_of(mails) == [MailState.SENT] * 8 + [MailState.DEFERRED] * 4
