"""Makes what happens now and then in a business: refunds, a cheque, holds, a bounced address and a statement."""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from payorcrm.core.clock import day_in
from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.demo.business import STAFF, TIME_ZONE, customer_number
from payorcrm.demo.deliver_history import deliver_history
from payorcrm.demo.moments import at_work
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail, SuppressionReason
from payorcrm.mail.suppress import suppress
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import OfflineKind, Payment, PaymentState
from payorcrm.payments.record_offline import OfflineMoney, record_offline
from payorcrm.payments.refund import RefundOrder, refund
from payorcrm.reminders.hold import Terms, put_on_hold
from payorcrm.reminders.models import HoldReason
from payorcrm.statements.models import Statement
from payorcrm.statements.send import send_statement

COLLECTOR = STAFF[1]
# Places of companies in the list.
GOT_ALL_BACK, GOT_A_PART_BACK = 14, 8
PAID_BY_CHEQUE, BOUNCED, GOT_A_STATEMENT = 10, 9, 12
DISPUTES, PROMISED = 13, 15


def make_exceptions(merchant: Merchant, now: datetime) -> None:
    """Make each of them once, also when a loading that was interrupted is taken up again."""
    today = day_in(TIME_ZONE, now)
    customers = {customer.number: customer for customer in Customer.objects.filter(merchant=merchant)}
    moment = at_work(today - timedelta(days=2), minute=30)

    def at(place: int) -> Customer:
        customer = customers[customer_number(place)]
        customer.merchant = merchant
        return customer

    by = User.objects.get(email=COLLECTOR.email)
    _refund(at(GOT_A_PART_BACK), 4, "A part was meant for another supplier", by, moment)
    _refund(at(GOT_ALL_BACK), 1, "Paid by mistake; a transfer follows", by, moment)
    _record_cheque(at(PAID_BY_CHEQUE), by, moment)
    _hold(at(DISPUTES), Terms(HoldReason.DISPUTE, note="Says that the last delivery was short"), by, moment)
    until = moment.date() + timedelta(days=9)
    _hold(at(PROMISED), Terms(HoldReason.PROMISE, until, "Will pay when their own customers have"), by, moment)
    _bounce(at(BOUNCED), moment)
    if not Statement.objects.filter(customer=at(GOT_A_STATEMENT)).exists():
        send_statement(customer=at(GOT_A_STATEMENT), started_by=by, now=moment)
    deliver_history(moment)


def _refund(customer: Customer, divisor: int, reason: str, by: User, moment: datetime) -> None:
    """Give back the customer's latest payment, or a part of it; what it paid is owed again."""
    came = Payment.objects.filter(customer=customer, state__in=[PaymentState.SUCCEEDED, PaymentState.REFUNDED])
    payment = came.select_related("merchant").order_by("submitted_at").last()
    assert payment is not None
    order = RefundOrder(
        key=_key(customer, "refund"),
        amount=Money(payment.amount // divisor, payment.currency),
        seen=0,
        reason=reason,
        is_owed_again=True,
        made_by_id=by.id,
    )
    refund(payment=payment, order=order, now=moment)


def _record_cheque(customer: Customer, by: User, moment: datetime) -> None:
    """Record a cheque for the customer's oldest open invoice and some money more, which stays unapplied."""
    invoice = Invoice.objects.filter(customer=customer).open().order_by("due_on").first()
    by_invoice = {invoice.id: invoice.balance} if invoice else {}
    money = OfflineMoney(
        key=_key(customer, "cheque"),
        customer=customer,
        kind=OfflineKind.CHEQUE,
        reference="1187",
        received_on=moment.date(),
        amount=Money(sum(by_invoice.values()) + 2_500, "USD"),
        by_invoice=by_invoice,
        sends_receipt=True,
        recorded_by_id=by.id,
    )
    record_offline(money=money, now=moment)


def _hold(customer: Customer, terms: Terms, by: User, moment: datetime) -> None:
    put_on_hold(
        customer=customer,
        invoice=None,
        reason=terms.reason,
        until=terms.until,
        note=terms.note,
        held_by=by,
        now=moment,
    )


def _bounce(customer: Customer, moment: datetime) -> None:
    """Let the customer's latest mail have come back."""
    mail = Mail.objects.filter(customer=customer).order_by("id").last()
    assert mail is not None
    note = "550 5.1.1 The mailbox does not exist."
    suppress(mail=mail, address=mail.to_address, reason=SuppressionReason.BOUNCED, note=note, at=moment)


def _key(customer: Customer, what: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"https://demo.example/{what}/{customer.number}")
