"""Five thousand customers are invited while the worker is killed in the middle: everybody gets one mail, nobody two."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from payorcrm.customers.invitation_runs import progress_of, start_run
from payorcrm.customers.invite import invitation_for_password
from payorcrm.customers.models import Contact, Customer, InvitationRun, LineOutcome
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Merchant
from tests.factories.inbox import text_of
from tests.factories.journey import wait_until
from tests.factories.models import MerchantFactory
from tests.factories.system import RunningSystem

COUNT = 5_000
INVITING, SENDING = 7_000_011, 7_000_012
# One statement of a batch, and the claiming of mails, wait in the database while this test holds their lock.
TRIGGERS = f"""
CREATE FUNCTION hold_inviting() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared({INVITING}); RETURN NEW; END';
CREATE FUNCTION hold_sending() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared({SENDING}); RETURN NEW; END';
CREATE TRIGGER hold_inviting BEFORE INSERT ON customers_invitation FOR EACH ROW EXECUTE FUNCTION hold_inviting();
CREATE TRIGGER hold_sending BEFORE UPDATE ON mail_mail FOR EACH ROW
    WHEN (NEW.state = 'sending' AND NEW.kind = 'invitation') EXECUTE FUNCTION hold_sending();
"""


def test_killed_worker_leaves_nobody_out_and_mails_nobody_twice(system: RunningSystem) -> None:
    merchant = MerchantFactory()
    addresses = customers_of(merchant)

    with triggers(system) as hold:
        hold.execute("SELECT pg_advisory_lock(%s)", [SENDING])
        run = start_run(merchant=merchant, customer_ids=None, started_by=None, now=datetime.now(UTC))
        wait_until(lambda: progress_of(run).done >= 750, "some batches are written")
        hold.execute("SELECT pg_advisory_lock(%s)", [INVITING])
        wait_until(lambda: is_held(hold, INVITING), "the worker is in the middle of a batch")
        system.kill("worker")
        done = progress_of(run).done
        assert 750 <= done < COUNT
        assert Mail.objects.filter(merchant=merchant).count() == done
        hold.execute("SELECT pg_advisory_unlock_all()")
        system.start("worker")
        wait_until(lambda: InvitationRun.objects.get(id=run.id).finished_at, "the run is finished", patience=180)

    assert progress_of(run).counts == {LineOutcome.INVITED: COUNT}
    mails = Mail.objects.filter(merchant=merchant)
    wait_until(lambda: mails.filter(state=MailState.SENT).count() == COUNT, "all mails are sent", patience=300)
    arrived = [mail for mail in system.inbox.mails if merchant.name in mail["From"]]
    assert Counter(str(mail["X-Envelope-To"]) for mail in arrived) == Counter(addresses)
    for mail in arrived[:: COUNT // 20]:
        assert_password_opens(str(mail["X-Envelope-To"]), text_of(mail))


def customers_of(merchant: Merchant) -> list[str]:
    """Make customers with an address each, and return the addresses."""
    customers = Customer.objects.bulk_create(
        Customer(merchant=merchant, number=f"C{place:05}", company_name=f"Company {place:05}") for place in range(COUNT)
    )
    contacts = Contact.objects.bulk_create(
        Contact(
            merchant=merchant, customer=customer, is_primary=True, email=f"{customer.number}@{merchant.slug}.example"
        )
        for customer in customers
    )
    return [contact.email for contact in contacts]


def assert_password_opens(address: str, text: str) -> None:
    """Check that the password in a mail is the one that the portal knows."""
    found = re.search(r"\b[0-9a-z]{4}(?:-[0-9a-z]{4}){3}\b", text)
    assert found
    assert invitation_for_password(email=address, password=found[0], now=datetime.now(UTC))


@contextmanager
def triggers(system: RunningSystem) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
    """Let inviting and sending wait for locks of the connection that this yields."""
    with psycopg.connect(system.database_url, autocommit=True) as connection:
        connection.execute(TRIGGERS)
        try:
            yield connection
        finally:
            connection.execute("SELECT pg_advisory_unlock_all()")
            connection.execute("DROP FUNCTION hold_inviting, hold_sending CASCADE")


def is_held(connection: "psycopg.Connection[tuple[object, ...]]", lock: int) -> bool:
    """Say whether a transaction waits for a lock."""
    waiting = connection.execute(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s", [lock]
    )
    return waiting.rowcount > 0


@pytest.fixture(autouse=True)
def worker_runs_afterwards(system: RunningSystem) -> Iterator[None]:
    """Leave the system as it was for the next journey."""
    yield
    system.start_what_is_missing()
