"""The customers that a user may act for: what every page of the portal asks first.

The statement is written once and not, as a query set would be, for each page anew, which takes as long as all of its
template.
"""

from functools import cache
from typing import Any

from django.db import connection, models

from payorcrm.core.models import User
from payorcrm.customers.models import Customer, PortalAccess
from payorcrm.merchants.models import Merchant


def accesses_of(user: User) -> list[PortalAccess]:
    """Return a user's live accesses with customer and merchant, in order of their names; the logo is not read."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [user.pk])
        return [_access(row, user) for row in cursor.fetchall()]


@cache
def _statement() -> str:
    columns = ", ".join(f"{table}.{column}" for table, model in _TABLES for column in _columns_of(model))
    return (
        f"SELECT {columns} FROM customers_portalaccess a "  # noqa: S608
        "JOIN customers_customer c ON c.id = a.customer_id JOIN merchants_merchant m ON m.id = c.merchant_id "
        "WHERE a.user_id = %s AND a.removed_at IS NULL ORDER BY m.name, c.company_name, a.id"
    )


_TABLES: list[tuple[str, type[models.Model]]] = [("a", PortalAccess), ("c", Customer), ("m", Merchant)]


@cache
def _columns_of(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields if field.attname != "logo")


def _access(row: tuple[Any, ...], user: User) -> PortalAccess:
    found: list[Any] = []
    for _table, model in _TABLES:
        names = _columns_of(model)
        found.append(model.from_db(connection.alias, names, row[: len(names)]))
        row = row[len(names) :]
    access, customer, merchant = found
    access.user, access.customer, customer.merchant = user, customer, merchant
    return access
