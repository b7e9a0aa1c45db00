"""Reading balances out of the journal."""

from uuid import UUID

from django.db.models import Sum

from payorcrm.core.money import Money
from payorcrm.ledger.models import Account, Posting


def balance_of(merchant_id: UUID, account: Account, currency: str, customer_id: UUID | None = None) -> Money:
    """Return the balance of an account, of one customer if given."""
    postings = Posting.objects.filter(merchant_id=merchant_id, account=account, currency=currency)
    if customer_id:
        postings = postings.filter(customer_id=customer_id)
    return Money(int(postings.aggregate(total=Sum("amount"))["total"] or 0), currency)
