"""A customer whose rules are on."""

from typing import Any

import pytest


@pytest.fixture
def ruled(db: None) -> Any:
    """A customer of a merchant in New York whose seven rules are on, at nine on every day."""
    from tests.factories.models import CustomerFactory  # Django is not set up while this file is read
    from tests.reminders.rules import set_schedule, switch_all_on

    customer = CustomerFactory()
    set_schedule(customer.merchant)
    switch_all_on(customer.merchant)
    return customer
