"""The customers that a user may act for: what every page of the portal asks first."""

from payorcrm.core.models import User
from payorcrm.core.ready_rows import Tables, read_rows
from payorcrm.customers.models import Customer, PortalAccess
from payorcrm.merchants.models import Merchant

_TABLES: Tables = (("a", PortalAccess), ("c", Customer), ("m", Merchant))
_OF_USER = """
  FROM customers_portalaccess a
  JOIN customers_customer c ON c.id = a.customer_id
  JOIN merchants_merchant m ON m.id = c.merchant_id
 WHERE a.user_id = %s AND a.removed_at IS NULL
 ORDER BY m.name, c.company_name, a.id"""


def accesses_of(user: User) -> list[PortalAccess]:
    """Return a user's live accesses with customer and merchant, in order of their names; the logo is not read."""
    accesses = []
    for access, customer, merchant in read_rows(_TABLES, _OF_USER, [user.pk]):
        access.user, access.customer, customer.merchant = user, customer, merchant
        accesses.append(access)
    return accesses
