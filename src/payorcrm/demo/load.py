"""Loads the invented business on the first start of a demo, and connects it to the processor on every start."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import transaction

from payorcrm.core.clock import day_in, now
from payorcrm.core.errors import Inconsistent, Refused
from payorcrm.customers.invite import invite_customer
from payorcrm.customers.models import Customer, PortalAccess
from payorcrm.demo.business import INVITED_NUMBER, NAME, PLAYED_NUMBER, SLUG, TIME_ZONE
from payorcrm.demo.make_exceptions import make_exceptions
from payorcrm.demo.make_payments import make_payments
from payorcrm.demo.plan_invoices import PlannedInvoice, plan_invoices
from payorcrm.demo.plan_payments import plan_payments
from payorcrm.demo.save_methods import save_methods
from payorcrm.demo.sign_ins import SignIn, sign_ins
from payorcrm.demo.write_business import write_customers, write_merchant
from payorcrm.demo.write_invoices import write_invoices
from payorcrm.gateways.sandbox.gateway import SandboxGateway
from payorcrm.gateways.sandbox.provision import open_test_account
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import GatewayAccount, Merchant
from payorcrm.reminders.models import Reminder
from payorcrm.reminders.send import send_reminders

GATEWAY = "sandbox"


class NotADemo(Refused):
    """Invented people with public passwords were to be put into a real installation."""

    code = "not_a_demo"
    status: ClassVar[int] = 403
    message = "The demo business is loaded in demo mode only."


class WrongBooks(Inconsistent):
    """The demo business was loaded, and its books do not agree."""

    code = "wrong_books"


def load_demo_business() -> list[SignIn]:
    """Load the business if the database is empty, and return who may sign in to it.

    Connects it to the processor at `SANDBOX_URL` each time, and takes up again a loading that was interrupted. A
    database that holds another merchant is left alone. Raises NotADemo, GatewayUnavailable.
    """
    if settings.IS_PRODUCTION:
        raise NotADemo
    merchant = Merchant.objects.filter(slug=SLUG).first()
    if merchant is None and Merchant.objects.exists():
        return []
    moment = now()
    invoices = plan_invoices(day_in(TIME_ZONE, moment))
    merchant = merchant or _write(invoices, moment)
    _make_history(merchant, invoices, moment)
    _connect(merchant, webhook_url=f"{settings.PUBLIC_URL}/webhooks/{GATEWAY}/{SLUG}/")
    _remind_played_customer(merchant, moment)
    _invite_a_customer(merchant, moment)
    return sign_ins()


def _write(invoices: list[PlannedInvoice], moment: datetime) -> Merchant:
    """Write everything but the payments, all or nothing."""
    with transaction.atomic():
        merchant = write_merchant()
        customers = write_customers(merchant, moment)
        write_invoices(merchant, customers, invoices, moment)
        # Nothing is to be sent about the past, and nobody listens yet.
        account = _connect(merchant, webhook_url="")
        save_methods(merchant, account, customers, invoices)
    return merchant


def _connect(merchant: Merchant, *, webhook_url: str) -> GatewayAccount:
    keys = open_test_account(NAME, webhook_url)
    account, _ = GatewayAccount.objects.update_or_create(
        merchant=merchant,
        gateway=GATEWAY,
        defaults={
            "account_id": SandboxGateway(keys).check_keys(),
            "public_key": keys.public_key,
            "secret_key": keys.secret_key,
            "webhook_secret": keys.webhook_secret,
        },
    )
    return account


def _make_history(merchant: Merchant, invoices: list[PlannedInvoice], moment: datetime) -> None:
    account = GatewayAccount.objects.get(merchant=merchant, gateway=GATEWAY)
    if account.events_seen_at:
        return
    make_payments(merchant, account, plan_payments(invoices, day_in(TIME_ZONE, moment)))
    make_exceptions(merchant, moment)
    wrong = check_books()
    if wrong:
        raise WrongBooks("; ".join(map(str, wrong)))
    # The past's events are known already; marking them as seen also says that the history is complete.
    GatewayAccount.objects.filter(id=account.id).update(events_seen_at=moment)


def _remind_played_customer(merchant: Merchant, moment: datetime) -> None:
    customer = Customer.objects.get(merchant=merchant, number=PLAYED_NUMBER)
    if not Reminder.objects.filter(customer=customer).exists():
        send_reminders(merchant=merchant, customer_number=PLAYED_NUMBER, now=moment)


def _invite_a_customer(merchant: Merchant, moment: datetime) -> None:
    customer = Customer.objects.get(merchant=merchant, number=INVITED_NUMBER)
    if not PortalAccess.objects.filter(customer=customer).exists():
        invite_customer(customer=customer, invited_by=None, now=moment)
