"""An import of customers says how many invitation mails it causes, and lets one say no."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import DataError, connection
from procrastinate.contrib.django.models import ProcrastinateJob
from psycopg.conninfo import make_conninfo

from payorcrm.commands.exits import Exit
from payorcrm.customers.invitation_runs import work_off
from payorcrm.customers.models import Customer, InvitationRun
from payorcrm.mail.models import Mail
from tests.factories.line import payorcrm_here
from tests.factories.models import NOW, CustomerFactory, MerchantFactory

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS = (
    "customerno,companyname,emailaddress1\n"
    "C1,Acme Tools,jo@acme.example\nC2,Birch & Co,al@birch.example\nC3,Cedar,\nC4,Known,k@known.example\n"
)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The command, for a file with two new customers that have an address, one without, and one that is known."""
    path = tmp_path / "customers.csv"
    path.write_text(CUSTOMERS)
    return ["import", "customers", str(path)]


@pytest.fixture
def environment() -> dict[str, str]:
    """What makes the command work on this test's own database."""
    name = connection.settings_dict["NAME"]
    return {"DATABASE_URL": make_conninfo(os.environ["DATABASE_URL"], dbname=name), "PAYORCRM_MODE": "test"}


def test_new_customers_are_invited_and_counted(words: list[str]) -> None:
    merchant = MerchantFactory()
    CustomerFactory(merchant=merchant, number="C4")

    answer = payorcrm_here(*words)

    assert answer.returncode == Exit.OK, answer.stderr
    assert "2 invitation mails queued." in answer.stdout
    assert "Not invited: C3 (Cedar): No e-mail address" in answer.stdout
    run = InvitationRun.objects.get(merchant=merchant)
    assert set(run.lines.values_list("customer__number", flat=True)) == {"C1", "C2", "C3"}
    assert ProcrastinateJob.objects.filter(task_name__endswith="work_off_run").count() == 1
    work_off(run.id, now=NOW)
    assert set(Mail.objects.values_list("to_address", flat=True)) == {"jo@acme.example", "al@birch.example"}


def test_second_import_of_the_file_invites_nobody(words: list[str]) -> None:
    MerchantFactory()
    payorcrm_here(*words)

    answer = payorcrm_here(*words)

    assert "invit" not in answer.stdout
    assert InvitationRun.objects.count() == 1


def test_no_invitations_says_no(words: list[str]) -> None:
    MerchantFactory()

    answer = payorcrm_here(*words, "--no-invitations")

    assert answer.returncode == Exit.OK
    assert "New customers are not invited to the portal (as asked); it would be 3 invitation mails." in answer.stdout
    assert (Customer.objects.count(), InvitationRun.objects.count()) == (4, 0)


def test_merchants_settings_say_no(words: list[str]) -> None:
    MerchantFactory(invites_new_customers=False)

    answer = payorcrm_here(*words)

    assert "(the merchant's settings say so)" in answer.stdout
    assert InvitationRun.objects.count() == 0


def test_dry_run_says_how_many_mails_and_changes_nothing(words: list[str]) -> None:
    MerchantFactory()

    answer = payorcrm_here(*words, "--dry-run")

    assert answer.returncode == Exit.OK, answer.stderr
    assert "An import would bring: 4 new, 0 changed" in answer.stdout
    assert "The import would cause 3 invitation mails." in answer.stdout
    assert "Not invited: C3 (Cedar): No e-mail address" in answer.stdout
    assert (Customer.objects.count(), InvitationRun.objects.count()) == (0, 0)


@pytest.mark.parametrize(("typed", "run_count"), [("n\n", 0), ("\n", 1), ("y\n", 1)])
def test_person_at_a_terminal_is_asked(
    words: list[str], environment: dict[str, str], typed: str, run_count: int
) -> None:
    MerchantFactory()

    said = at_a_terminal(words, environment, typed)

    assert "causes 3 invitation mails. Send them? [Y/n]" in said
    assert Customer.objects.count() == 4
    assert InvitationRun.objects.count() == run_count


def at_a_terminal(words: list[str], environment: dict[str, str], typed: str) -> str:
    """Run the command with a terminal around it, type a line, and return what it said."""
    mine, its = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "payorcrm", *words], stdin=its, stdout=its, stderr=its, env=os.environ | environment
    ) as program:
        os.close(its)
        os.write(mine, typed.encode())
        said = b""
        try:
            while part := os.read(mine, 4096):
                said += part
        except OSError:  # how a terminal on Linux says that nobody is at its other end any more
            pass
        os.close(mine)
    assert program.returncode == Exit.OK
    return " ".join(said.decode().split())


def test_customers_and_their_invitations_come_together_or_not_at_all(words: list[str]) -> None:
    MerchantFactory()
    # The last statement of the import fails, as if the machine had stopped there.
    say("CREATE RULE stop AS ON INSERT TO customers_invitationrun DO INSTEAD SELECT 1 / 0")
    try:
        with pytest.raises(DataError):
            payorcrm_here(*words)
    finally:
        say("DROP RULE stop ON customers_invitationrun")
    nobody = Customer.objects.count()

    again = payorcrm_here(*words)

    assert nobody == 0
    assert "3 invitation mails queued." in again.stdout


def say(statement: str) -> None:
    """Tell the database; a command before may have left the connection closed."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
