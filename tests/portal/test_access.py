"""Every address of the portal that names something, asked with what is another customer's and another merchant's."""

import re
from uuid import UUID, uuid4

import pytest
from django.urls import URLPattern, reverse

from payorcrm.core.clock import now
from payorcrm.payment_methods.mandate import record_mandate
from payorcrm.payment_methods.models import Verification
from payorcrm.payments.request_payment import request_all_unpaid
from payorcrm.payments.reserve import reserve
from payorcrm.portal.urls import urlpatterns
from tests.backoffice.rows import make_attached
from tests.factories.models import (
    CustomerFactory,
    GatewayAccountFactory,
    InvoiceFactory,
    PaymentMethodFactory,
    PortalAccessFactory,
    usd,
)
from tests.payments.kit import ACCEPTANCE, order_for

ENTERED = {"checkout_review": {}, "checkout_verify": {"verification": Verification.PENDING}}
# What the token of a mail opens, and nobody's sign-in: test_pay.py and test_documents.py ask for these.
BY_LINK = {"review", "mailed_invoice"}
WITH_IDS = sorted(
    pattern.name
    for pattern in urlpatterns
    if isinstance(pattern, URLPattern) and "uuid" in str(pattern.pattern) and pattern.name not in BY_LINK
)


def converters_of(name):
    (pattern,) = [one for one in urlpatterns if isinstance(one, URLPattern) and one.name == name]
    return sorted(pattern.pattern.converters)


def things_of(access, name):
    """Make what an address may name, as the user of this access would have it."""
    customer = access.customer
    saved = PaymentMethodFactory(customer=customer, bank=True)
    entered = PaymentMethodFactory(
        customer=customer, bank=True, saved_at=None, created_at=now(), **ENTERED.get(name, {})
    )
    InvoiceFactory(customer=customer)
    return {
        "invoice_id": InvoiceFactory(customer=customer).id,
        "file_id": make_attached(InvoiceFactory(customer=customer), is_for_customer=True).id,
        "payment_id": reserve(order=order_for(saved, InvoiceFactory(customer=customer)), now=now()).payment.id,
        "request_id": request_all_unpaid(customer=customer, user=access.user, now=now()).id,
        "method_id": entered.id if name in ENTERED else saved.id,
        "mandate_id": record_mandate(method=saved, text="Yes.", amount=usd("1.00"), acceptance=ACCEPTANCE).id,
    }


def asked(client, name, ids):
    """Return status and text of the answers to looking and to pressing, without what differs every time."""
    address = reverse(f"portal:{name}", kwargs=ids)
    answers = [client.get(address), client.post(address)]
    return [(answer.status_code, _steady(answer.content.decode("utf-8", "replace"))) for answer in answers]


def _steady(page):
    return re.sub(r'(nonce|value)="[^"]+"', "", page)


@pytest.fixture
def access(db):
    access = PortalAccessFactory()
    GatewayAccountFactory(merchant=access.merchant)
    return access


def test_every_kind_of_id_is_asked_for():
    named = {converter for name in WITH_IDS for converter in converters_of(name)}

    assert named == {"invoice_id", "payment_id", "request_id", "method_id", "mandate_id", "file_id"}


@pytest.mark.parametrize("name", WITH_IDS)
@pytest.mark.parametrize("same_merchant", [True, False])
def test_what_is_anothers_looks_as_if_it_did_not_exist(client, access, name, same_merchant):
    stranger = CustomerFactory(merchant=access.merchant) if same_merchant else CustomerFactory()
    mine, theirs = things_of(access, name), things_of(PortalAccessFactory(customer=stranger), name)
    client.force_login(access.user)

    for foreign in converters_of(name):
        ids = {converter: mine[converter] for converter in converters_of(name)}
        of_a_stranger = asked(client, name, ids | {foreign: theirs[foreign]})
        of_nobody = asked(client, name, ids | {foreign: uuid4()})

        assert {status for status, _text in of_a_stranger} <= {404, 405}
        assert 404 in {status for status, _text in of_a_stranger}
        assert of_a_stranger == of_nobody


def test_a_file_that_is_not_for_the_customer_does_not_exist(client, access):
    invoice = InvoiceFactory(customer=access.customer)
    hidden, shown = make_attached(invoice), make_attached(invoice, is_for_customer=True, file_name="<b>seen</b>.txt")
    client.force_login(access.user)

    page = client.get(reverse("portal:invoice", args=[invoice.id])).text
    answers = [client.get(reverse("portal:attached_file", args=[each.id])) for each in (hidden, shown)]

    assert [answer.status_code for answer in answers] == [404, 200]
    assert answers[1]["Content-Disposition"].startswith("attachment")
    assert "&lt;b&gt;seen&lt;/b&gt;.txt" in page
    assert hidden.file_name not in page


@pytest.mark.parametrize("name", WITH_IDS)
def test_ones_own_is_found(client, access, name):
    mine = things_of(access, name)
    client.force_login(access.user)
    ids: dict[str, UUID] = {converter: mine[converter] for converter in converters_of(name)}

    statuses = {status for status, _text in asked(client, name, ids)}

    assert 404 not in statuses
