"""What follows for reminders when mail comes back, when somebody lifts the stop, or unsubscribes at the provider."""

from datetime import datetime

from payorcrm.core.models import User
from payorcrm.customers.models import Customer, Topic
from payorcrm.customers.recipients import recipients_of
from payorcrm.customers.unsubscribe import end_reminders
from payorcrm.mail.models import Mail, Suppression
from payorcrm.mail.suppress import after_bounce, after_lifting
from payorcrm.mail.track import after_unsubscribing
from payorcrm.reminders.hold import hold_for_bounce
from payorcrm.reminders.models import Hold, HoldReason


@after_bounce
def hold_customer(mail: Mail, address: str, now: datetime) -> None:
    """Hold the mail's customer if reminders go to the address that does not work."""
    if mail.customer_id is None:
        return
    recipients = recipients_of([mail.customer_id], Topic.REMINDERS).get(mail.customer_id)
    if recipients and recipients.to[0][0].lower() == address.lower():
        customer = Customer.objects.select_related("merchant").get(id=mail.customer_id)
        hold_for_bounce(customer=customer, address=recipients.to[0][0], now=now)


@after_lifting
def end_holds(suppression: Suppression, lifted_by: User | None, now: datetime) -> None:
    """End the holds that the stop of an address has caused."""
    held = Hold.objects.filter(merchant=suppression.merchant_id, reason=HoldReason.BOUNCED, ended_at=None)
    held.filter(address__iexact=suppression.address).update(ended_at=now, ended_by=lifted_by)


@after_unsubscribing
def unsubscribe(mail: Mail, now: datetime) -> None:
    """Send no more reminders to a customer who unsubscribed by a button of the mail provider."""
    customer = Customer.objects.filter(id=mail.customer_id).first() if mail.customer_id else None
    if customer:
        end_reminders(customer=customer, now=now)
