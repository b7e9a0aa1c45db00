"""Queues statements: a mail for each customer and a payment request for each currency, in one statement of SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.clock import day_in
from payorcrm.core.errors import Refused
from payorcrm.core.ids import UUID7_IN_SQL, uuid7_start
from payorcrm.core.models import User
from payorcrm.customers.models import Customer
from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.models import Mail, MailState
from payorcrm.mail.queue_many import INSERT_MAILS
from payorcrm.merchants.models import Merchant
from payorcrm.payments.request_many import INSERT_REQUESTS
from payorcrm.reminders.conditions import Tree
from payorcrm.reminders.models import ReminderTemplate
from payorcrm.reminders.select import JUST_NOW
from payorcrm.reminders.templates import version_of
from payorcrm.statements.models import NoStatement, StatementOmission, StatementRun
from payorcrm.statements.select import selection
from payorcrm.statements.templates import statement_template

KIND = "statement"


class NoStatementSent(Refused):
    """A customer to whom a statement was to be sent by hand cannot get one."""

    code = "no_statement_sent"
    status: ClassVar[int] = 409


def send_statement(
    *, customer: Customer, started_by: User | None, now: datetime, template: ReminderTemplate | None = None
) -> StatementRun:
    """Send one customer a statement now, also if nothing is owed. Raises NoStatementSent.

    A second press within two minutes, or while the first mail is under way, sends nothing.
    """
    merchant = customer.merchant
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=merchant.id)
        _refuse_twice(customer, now)
        template = template or statement_template(merchant)
        run = StatementRun.objects.create(
            merchant=merchant,
            template=template,
            version=version_of(template),
            includes_settled=True,
            day=day_in(merchant.time_zone, now),
            started_at=now,
            started_by=started_by,
        )
        queue_statements(run, tree={}, now=now, customers=[customer.id])
        if not run.mail_count:
            omission = StatementOmission.objects.get(run=run)
            raise NoStatementSent(f"No statement was sent: {NoStatement(omission.reason).label.lower()}.")
    return run


def _refuse_twice(customer: Customer, now: datetime) -> None:
    mails = Mail.objects.filter(customer=customer, kind=KIND)
    is_under_way = mails.filter(state__in=[MailState.QUEUED, MailState.SENDING, MailState.DEFERRED]).exists()
    if is_under_way or mails.filter(state=MailState.SENT, queued_at__gt=now - JUST_NOW).exists():
        raise NoStatementSent("No second statement was sent: the last one has just been sent or is under way.")


def queue_statements(run: StatementRun, *, tree: Tree, now: datetime, customers: Sequence[UUID] | None = None) -> None:
    """Queue a run's mails in this transaction, note who is left out, and store how many there are."""
    sql, values = selection(
        run.merchant, tree=tree, includes_settled=run.includes_settled, now=now, customers=customers
    )
    values |= {"run": run.id, "now": now, "kind": KIND, "is_bulk": customers is None, "uuid7_start": uuid7_start()}
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {sql}, {INSERT}", values)
        (run.mail_count,) = cursor.fetchone()
    run.save()
    if run.mail_count:
        deliver_soon()


INSERT = f"""
chosen AS MATERIALIZED (
    SELECT *, {UUID7_IN_SQL} AS statement_id, {UUID7_IN_SQL} AS mail_id FROM candidates WHERE left_out IS NULL
),
asked AS MATERIALIZED (
    SELECT chosen.statement_id, owing.*, {UUID7_IN_SQL} AS request_id
    FROM chosen JOIN owing USING (customer_id) WHERE cardinality(owing.invoice_ids) > 0
),
{INSERT_REQUESTS},
addressed AS (
    SELECT mail_id, customer_id, statement_id AS about_id, email, contact_name, also_to, cc FROM chosen
),
mails AS ({INSERT_MAILS}),
statements AS (
    INSERT INTO statements_statement (id, merchant_id, customer_id, run_id, mail_id)
    SELECT statement_id, %(merchant)s, customer_id, %(run)s, mail_id FROM chosen
),
statement_requests AS (
    INSERT INTO statements_statementrequest (statement_id, request_id, customer_id)
    SELECT statement_id, request_id, customer_id FROM asked
),
omissions AS (
    INSERT INTO statements_statementomission (run_id, customer_id, reason)
    SELECT %(run)s, customer_id, left_out FROM candidates WHERE left_out IS NOT NULL
)
SELECT count(*) FROM chosen
"""  # noqa: S608
