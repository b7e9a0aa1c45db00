"""The customer's transactions view: the merchant's rows, one's own only, at a constant cost."""

import pytest
from django.urls import URLPattern, reverse

from payorcrm.customers.queries import masked_address
from payorcrm.payments.models import Payment, PaymentState
from payorcrm.payments.queries import payments_for, payments_of
from payorcrm.payments.reserve import reserve
from payorcrm.portal.urls import urlpatterns
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, PaymentMethodFactory, PortalAccessFactory
from tests.payments.kit import order_for


def pay(customer, times=1):
    method = PaymentMethodFactory(customer=customer)
    return [reserve(order=order_for(method, InvoiceFactory(customer=customer)), now=NOW).payment for _ in range(times)]


@pytest.fixture
def access(db):
    return PortalAccessFactory()


def test_customer_sees_their_payments_and_their_invoices(client, access):
    (payment,) = pay(access.customer)
    client.force_login(access.user)

    listed = client.get(reverse("portal:payments")).content.decode()
    shown = client.get(reverse("portal:payment", args=[payment.id])).content.decode()

    assert payment.reference in listed
    assert payment.allocations.get().invoice.number in shown


def test_page_promises_a_receipt_by_mail_to_its_payer_alone(client, access):
    in_portal, from_mail = pay(access.customer, 2)
    Payment.objects.update(state=PaymentState.SUCCEEDED)
    Payment.objects.filter(id=in_portal.id).update(made_by=access.user)
    client.force_login(access.user)

    def outcome_of(payment):
        return client.get(reverse("portal:payment_result", args=[payment.id])).content.decode()

    assert f"on its way to {masked_address(access.user.email)}." in outcome_of(in_portal)
    assert "You find the receipt here." in outcome_of(from_mail)


def test_customer_and_merchant_see_the_same_rows(access):
    pay(access.customer, 3)

    mine = list(payments_of(access.customer).values_list("reference", "amount", "state"))

    assert mine == list(payments_for(access.merchant).values_list("reference", "amount", "state"))


@pytest.mark.parametrize("count", [1, 30])
def test_list_costs_the_same_however_long(client, access, count, django_assert_num_queries):
    pay(access.customer, count)
    client.force_login(access.user)
    client.get(reverse("portal:payments"))

    with django_assert_num_queries(4):
        client.get(reverse("portal:payments"))


def test_user_without_a_customer_sees_nothing(client, access):
    access.delete()
    client.force_login(access.user)

    assert client.get(reverse("portal:payments")).status_code == 404


def test_user_of_two_customers_switches_between_them(client, access):
    other = PortalAccessFactory(user=access.user, customer=CustomerFactory(company_name="Zebra Prints"))
    (theirs,) = pay(other.customer)
    client.force_login(access.user)

    before = client.get(reverse("portal:payments")).content.decode()
    client.post(reverse("portal:switch_customer"), {"access": other.id})
    after = client.get(reverse("portal:payments")).content.decode()

    assert theirs.reference not in before
    assert theirs.reference in after


def test_every_state_of_a_payment_can_be_shown(client, access):
    client.force_login(access.user)
    payments = pay(access.customer, len(PaymentState))
    for payment, state in zip(payments, PaymentState, strict=True):
        type(payment).objects.filter(id=payment.id).update(state=state, return_code="R01")

    for payment, state in zip(payments, PaymentState, strict=True):
        assert str(state.label) in client.get(reverse("portal:payment", args=[payment.id])).content.decode()


# How each address is asked with what belongs to another customer. Addresses with a token are signed: a changed one is
# refused (tests/payments/test_links.py), and a genuine one names a single thing.
SIGNED = {
    "confirm",
    "fresh",
    # tests/portal/test_documents.py
    *("mailed_invoice", "mailed_statement"),
    "pay",
    "result",
    "result_receipt",
    "review",
    "sent",
    "unsubscribe",
    "welcome",
    "new_password",
}
OPEN_TO_ALL = {"logo", "entrance", "passkey", "register", "forgot_password"}
OWN_ONLY = {
    "basket",
    "checkout",
    "checkout_invoices",
    "checkout_part",
    "checkout_review",
    "checkout_verify",
    "payment_result",
    "invoice_pdf",
    "payment",
    "payments",
    "payments_export",
    "receipt_pdf",
    "statement_pdf",
    "switch_customer",
    # tests/portal/test_access.py
    "attached_file",
    # tests/portal/test_invoices.py
    *("invoices", "invoice", "invoices_export"),
    # tests/portal/test_methods.py
    *("methods", "method", "method_add", "method_default", "method_rename", "method_remove", "method_verify"),
    *("mandate", "mandate_mail"),
    "accounts",
    "security",
    "settings",
    "sessions",
    "end_session",
    "end_all_sessions",
    "stop_viewing",
    "choose_password",
}


def test_every_address_has_a_rule():
    names = {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}

    assert names == SIGNED | OPEN_TO_ALL | OWN_ONLY


@pytest.mark.parametrize("same_merchant", [True, False])
def test_another_customers_payment_is_not_found(client, access, same_merchant):
    stranger = CustomerFactory(merchant=access.merchant) if same_merchant else CustomerFactory()
    (theirs,) = pay(stranger)
    client.force_login(access.user)

    assert client.get(reverse("portal:payment", args=[theirs.id])).status_code == 404
    assert theirs.reference not in client.get(reverse("portal:payments")).content.decode()


def test_another_users_access_cannot_be_switched_to(client, access):
    theirs = PortalAccessFactory()
    client.force_login(access.user)

    assert client.post(reverse("portal:switch_customer"), {"access": theirs.id}).status_code == 404


@pytest.mark.parametrize("name", ["pay", "sent", "fresh", "confirm", "result", "result_receipt", "unsubscribe"])
def test_made_up_tokens_are_not_found(client, db, name):
    path = reverse(f"portal:{name}", args=["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])

    answers = [client.get(path).status_code, client.post(path).status_code]

    assert set(answers) <= {404, 405}
    assert 404 in answers


def test_strangers_are_sent_to_the_sign_in(client, db):
    answer = client.get(reverse("portal:payments"))

    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))
