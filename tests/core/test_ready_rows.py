"""Rows that are read by a statement written once are what a query set would return."""

import pytest

from payorcrm.core.ready_rows import read_rows
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.models import PaymentMethod
from tests.factories.models import PaymentMethodFactory

pytestmark = pytest.mark.django_db
TABLES = (("p", PaymentMethod), ("m", Merchant))
TAIL = "FROM payment_methods_paymentmethod p JOIN merchants_merchant m ON m.id = p.merchant_id WHERE p.id = %s"


def test_rows_are_those_of_a_query_set_and_secrets_are_opened():
    kept = PaymentMethodFactory(token="pm_secret")

    ((method, merchant),) = read_rows(TABLES, TAIL, [kept.id])

    expected = PaymentMethod.objects.get(id=kept.id)
    assert method.token == "pm_secret"
    assert {f.attname: getattr(method, f.attname) for f in method._meta.concrete_fields} == {
        f.attname: getattr(expected, f.attname) for f in expected._meta.concrete_fields
    }
    assert merchant == kept.merchant


def test_logo_is_left_out_until_it_is_asked_for(django_assert_num_queries):
    kept = PaymentMethodFactory()

    with django_assert_num_queries(1):
        ((_, merchant),) = read_rows(TABLES, TAIL, [kept.id])

    assert "logo" in merchant.get_deferred_fields()
    assert merchant.logo is None
