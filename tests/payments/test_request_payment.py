"""What a user of the portal chooses to pay: one currency, only what is payable, whole invoices unless parts may be."""

import pytest

from payorcrm.core.money import Money
from payorcrm.payments.models import RequestOrigin
from payorcrm.payments.queries import due_of, payable_amounts_of
from payorcrm.payments.request_payment import (
    MixedSelection,
    PartPaymentsNotAllowed,
    are_invoices_of,
    request_all_unpaid,
    request_from_portal,
)
from payorcrm.payments.reserve import NothingLeftToPay, reserve
from tests.factories.many import owe_alike
from tests.factories.models import (
    NOW,
    CustomerFactory,
    InvoiceFactory,
    PaymentMethodFactory,
    PortalAccessFactory,
    usd,
)
from tests.payments.kit import order_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def access():
    return PortalAccessFactory()


def ask(access, *invoices, **parts):
    amounts = {invoice.id: parts.get(invoice.number) for invoice in invoices}
    return request_from_portal(customer=access.customer, user=access.user, amounts=amounts, now=NOW)


def test_request_says_who_made_it_and_names_the_chosen_invoices_only(access):
    chosen, other = (InvoiceFactory(customer=access.customer) for _ in range(2))

    made = ask(access, chosen)

    assert (made.origin, made.made_by, made.currency) == (RequestOrigin.PORTAL, access.user, "USD")
    assert payable_amounts_of(made) == {chosen.id: 12_000}
    assert other.id not in made.lines.values_list("invoice_id", flat=True)


def test_settled_invoices_are_left_out(access):
    paid = InvoiceFactory(customer=access.customer, balance=0, status="paid")
    under_way = InvoiceFactory(customer=access.customer)
    reserve(order=order_for(PaymentMethodFactory(customer=access.customer), under_way), now=NOW)
    unpaid = InvoiceFactory(customer=access.customer)

    made = ask(access, paid, under_way, unpaid)

    assert payable_amounts_of(made) == {unpaid.id: 12_000}


def test_nothing_payable_is_refused(access):
    paid = InvoiceFactory(customer=access.customer, balance=0, status="paid")

    with pytest.raises(NothingLeftToPay):
        ask(access, paid)
    with pytest.raises(NothingLeftToPay):
        request_all_unpaid(customer=access.customer, user=access.user, now=NOW)


def test_another_customers_invoice_is_never_part_of_a_request(access):
    mine, theirs = InvoiceFactory(customer=access.customer), InvoiceFactory(customer__merchant=access.merchant)

    made = ask(access, mine, theirs)

    assert list(payable_amounts_of(made)) == [mine.id]
    assert not are_invoices_of(access.customer, [mine.id, theirs.id])
    assert are_invoices_of(access.customer, [mine.id])


def test_two_currencies_are_refused_with_the_total_of_each_and_one_of_them_can_be_chosen(access):
    dollars, euros = (
        InvoiceFactory(customer=access.customer),
        InvoiceFactory(customer=access.customer, amount=Money(5_000, "EUR")),
    )

    with pytest.raises(MixedSelection) as refused:
        ask(access, dollars, euros)
    made = request_all_unpaid(customer=access.customer, user=access.user, currency="EUR", now=NOW)

    assert [(one.count, one.amount) for one in refused.value.subtotals] == [
        (1, Money(5_000, "EUR")),
        (1, usd("120.00")),
    ]
    assert payable_amounts_of(made) == {euros.id: 5_000}


def test_part_is_paid_only_where_the_merchant_allows_it(access):
    invoice = InvoiceFactory(customer=access.customer, number="INV-P")

    with pytest.raises(PartPaymentsNotAllowed):
        ask(access, invoice, **{"INV-P": 5_000})
    access.merchant.allows_part_payments = access.customer.merchant.allows_part_payments = True
    made = ask(access, invoice, **{"INV-P": 5_000})

    assert due_of(made).total == usd("50.00")


def test_part_shrinks_to_what_is_left_of_its_invoice(access):
    access.customer.merchant.allows_part_payments = True
    invoice = InvoiceFactory(customer=access.customer, number="INV-P")
    first, second = (ask(access, invoice, **{"INV-P": 8_000}) for _ in range(2))
    method = PaymentMethodFactory(customer=access.customer)

    invoice.balance = 8_000
    reserve(order=order_for(method, invoice), now=NOW)

    assert due_of(first).total == due_of(second).total == usd("40.00")


def test_ten_thousand_invoices_make_a_request_in_the_queries_of_one(access, django_assert_num_queries):
    customer = CustomerFactory(merchant=access.merchant)
    amounts = dict.fromkeys(owe_alike(customer, 10_000))

    with django_assert_num_queries(5):  # with the transaction's two
        made = request_from_portal(customer=customer, user=access.user, amounts=amounts, now=NOW)

    assert made.lines.count() == 10_000
    with django_assert_num_queries(1):
        assert due_of(made).total == Money(10_000 * 12_000, "USD")
