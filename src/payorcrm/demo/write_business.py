"""Writes the merchant, its staff and its customers, in the caller's transaction."""

from datetime import datetime
from functools import cache
from uuid import UUID

from django.contrib.auth.hashers import make_password

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.customers.models import Contact, Customer, PortalAccess
from payorcrm.demo import business
from payorcrm.demo.business import COMPANIES, PLAYED, STAFF, Company, customer_number
from payorcrm.demo.logo import draw_logo
from payorcrm.merchants.logo import LOGO_TYPE
from payorcrm.merchants.models import Merchant, Staff


def write_merchant() -> Merchant:
    """Write the merchant and the people who work for it."""
    merchant = Merchant.objects.create(
        name=business.NAME,
        slug=business.SLUG,
        time_zone=business.TIME_ZONE,
        address=business.ADDRESS,
        phone=business.PHONE,
        reply_to=business.REPLY_TO,
        accent_color=business.ACCENT,
        allows_part_payments=True,
        logo=draw_logo(),
        logo_type=LOGO_TYPE,
    )
    users = _write_users({person.email: person.name for person in STAFF})
    Staff.objects.bulk_create(Staff(merchant=merchant, user=users[person.email], role=person.role) for person in STAFF)
    return merchant


def write_customers(merchant: Merchant, now: datetime) -> list[Customer]:
    """Write the customers in the order of the companies, their contacts, and the portal's user of the played one."""
    customers = [_customer(place, company, merchant, now) for place, company in enumerate(COMPANIES)]
    Customer.objects.bulk_create(customers)
    Contact.objects.bulk_create(
        _contact(customer.id, company, merchant) for customer, company in zip(customers, COMPANIES, strict=True)
    )
    users = _write_users({PLAYED.email: f"{PLAYED.first_name} {PLAYED.last_name}"})
    PortalAccess.objects.create(merchant=merchant, customer=customers[0], user=users[PLAYED.email])
    return customers


def _customer(place: int, company: Company, merchant: Merchant, now: datetime) -> Customer:
    return Customer(
        id=uuid7(),
        merchant=merchant,
        number=customer_number(place),
        company_name=company.name,
        category=company.category,
        phone=f"(212) 555-01{place:02}",
        address=f"{10 + place * 7} Example Street\nEasthaven, NY 10099",
        is_reminded=company.name != business.NOT_REMINDED,
        unsubscribed_at=now if company.name == business.UNSUBSCRIBED else None,
    )


def _contact(customer_id: UUID, company: Company, merchant: Merchant) -> Contact:
    return Contact(
        merchant=merchant,
        customer_id=customer_id,
        first_name=company.first_name,
        last_name=company.last_name,
        email=company.email,
        is_primary=True,
    )


def _write_users(names: dict[str, str]) -> dict[str, User]:
    password = _hashed_password()
    users = [User(id=uuid7(), email=email, name=name, password=password) for email, name in names.items()]
    User.objects.bulk_create(users)
    return {user.email: user for user in users}


@cache
def _hashed_password() -> str:
    # Once for all: hashing is slow on purpose, and everybody has the same password anyway.
    return make_password(business.PASSWORD)
