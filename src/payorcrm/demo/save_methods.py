"""Saves the planned cards and bank accounts: at the processor, and with their owners' consent here."""

from datetime import timedelta

from payorcrm.customers.models import Customer
from payorcrm.demo.business import COMPANIES
from payorcrm.demo.moments import at_work
from payorcrm.demo.plan_invoices import PlannedInvoice
from payorcrm.demo.plan_methods import PlannedMethod, plan_methods
from payorcrm.gateways.base import Credentials, MethodDetails, MethodKind
from payorcrm.gateways.sandbox.provision import create_test_method
from payorcrm.merchants.models import GatewayAccount, Merchant
from payorcrm.payment_methods.save import Consent, consent_text, record_saved_method

# An address that belongs to nobody (RFC 5737).
ADDRESS = "203.0.113.7"
CARD_LIFE_YEARS = 4


def save_methods(
    merchant: Merchant, account: GatewayAccount, customers: list[Customer], plan: list[PlannedInvoice]
) -> None:
    """Save every planned method, on the day before its owner's first invoice. Calls the processor."""
    credentials = account.credentials()
    first_days = {each.customer: each.issued_on for each in reversed(plan)}
    for method in plan_methods():
        day = first_days[method.customer] - timedelta(days=1)
        record_saved_method(
            customer=customers[method.customer],
            account=account,
            details=_at_processor(credentials, method, day.year + CARD_LIFE_YEARS),
            consent=Consent(consent_text(method.kind, merchant.name), ADDRESS, at_work(day)),
        )


def _at_processor(credentials: Credentials, method: PlannedMethod, year: int) -> MethodDetails:
    company = COMPANIES[method.customer]
    is_card = method.kind is MethodKind.CARD
    return create_test_method(
        credentials,
        method.kind,
        method.number,
        routing_number=method.routing_number,
        expiry=(1 + method.customer % 12, year),
        holder_name=f"{company.first_name} {company.last_name}" if is_card else company.name,
        holder_type="business",
    )
