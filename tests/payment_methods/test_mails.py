"""The mails about cards and accounts, as their owner gets them; those that are not true any more are withdrawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import translation

from payorcrm.customers.models import Notification, Topic
from payorcrm.mail.drafts import composer_of
from payorcrm.mail.models import Mail, MailState
from payorcrm.payment_methods.mails import queue_about, queue_mandate_copy
from payorcrm.payment_methods.mandate import record_mandate
from payorcrm.payment_methods.models import Verification
from tests.factories.inbox import html_of, links_in, text_of
from tests.factories.models import NOW, TODAY, CustomerFactory, MerchantFactory, PaymentMethodFactory, UserFactory, usd
from tests.factories.outbox import deliver
from tests.payments.kit import ACCEPTANCE

pytestmark = pytest.mark.django_db

PENDING = {"bank": True, "verification": Verification.PENDING, "deposits_expected_on": TODAY}
KINDS = {
    "deposits_sent": PENDING,
    "deposits_reminder": PENDING,
    "method_verified": {"bank": True, "verification": Verification.VERIFIED},
    "method_not_verified": {"bank": True, "verification": Verification.FAILED},
    "method_added": {"name": "Fleet card"},
    "method_removed": {"removed_at": NOW},
    "card_expiring": {"expiry_mailed_at": NOW},
}
LEADS_TO = {
    "deposits_sent": "/portal/methods/{}/verify/",
    "deposits_reminder": "/portal/methods/{}/verify/",
    "card_expiring": "/portal/methods/add/?with=card",
}


@pytest.fixture
def customer():
    merchant = MerchantFactory(name="Harbor Supply", slug="harbor")
    return CustomerFactory(merchant=merchant, company_name="Acme Tools")


def mailed(server, kind, method):
    queue_about([method], kind=kind, now=NOW)
    deliver()
    (mail,) = server.mails
    return mail


@pytest.mark.parametrize("kind", KINDS)
def test_mail_says_what_happened_and_what_to_do(server, customer, kind, snapshot):
    method = PaymentMethodFactory(id="0197b1a0-0000-7000-8000-000000000001", customer=customer, **KINDS[kind])

    mail = mailed(server, kind, method)

    assert snapshot == f"{mail['Subject']}\n\n{text_of(mail)}"
    assert f"{method.last4}" in html_of(mail)
    link = urlsplit(links_in(mail)[0])
    assert link.path == "/c/harbor/"
    assert parse_qs(link.query) == {"next": [LEADS_TO.get(kind, "/portal/methods/").format(method.id)]}


@pytest.mark.parametrize("kind", KINDS)
def test_mail_is_written_in_the_customers_language_whoever_sends_it(server, customer, kind):
    customer.language = "es"
    customer.save()
    method = PaymentMethodFactory(customer=customer, **KINDS[kind])

    with translation.override("en"):
        mail = mailed(server, kind, method)

    assert 'lang="es"' in html_of(mail)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("deposits_sent", {"removed_at": NOW}),
        ("deposits_reminder", {"verification": Verification.VERIFIED}),
        ("method_verified", {"removed_at": NOW}),
        ("method_not_verified", {"removed_at": NOW}),
        ("method_added", {"removed_at": NOW}),
        ("card_expiring", {"expiry_mailed_at": None}),
    ],
)
def test_what_is_not_true_any_more_is_not_sent(server, customer, kind, change):
    method = PaymentMethodFactory(customer=customer, **(KINDS[kind] | change))

    queue_about([method], kind=kind, now=NOW)
    deliver()

    assert server.mails == []
    assert Mail.objects.get().state == MailState.WITHDRAWN


def test_mail_goes_where_the_customers_people_want_it(server, customer):
    chosen = {"to": ["ap@acme.example"], "cc": ["boss@acme.example"]}
    Notification.objects.create(merchant=customer.merchant, customer=customer, topic=Topic.METHODS, **chosen)
    silent = PaymentMethodFactory()
    Notification.objects.create(
        merchant=silent.merchant, customer=silent.customer, topic=Topic.METHODS, is_wanted=False
    )

    queue_about([PaymentMethodFactory(customer=customer), silent], kind="method_added", now=NOW)

    assert list(Mail.objects.values_list("to_address", "cc")) == [("ap@acme.example", ["boss@acme.example"])]


def test_copy_of_an_authorization_is_word_for_word(server, customer):
    account = PaymentMethodFactory(customer=customer, bank=True)
    text = "I authorize <Harbor> to debit $12.00 & no more.\n\nI can revoke it."
    mandate = record_mandate(method=account, text=text, amount=usd("12.00"), acceptance=ACCEPTANCE)

    queue_mandate_copy(mandate, to=UserFactory(email="jo@acme.example"), now=NOW)
    deliver()

    (mail,) = server.mails
    assert mail["Subject"] == f"Copy of your authorization {mandate.reference}"
    assert "I authorize <Harbor> to debit $12.00 & no more." in text_of(mail)
    assert "&lt;Harbor&gt; to debit $12.00 &amp; no more." in html_of(mail)
    assert "5456" in text_of(mail)


def test_days_are_the_merchants(server, customer):
    early = datetime(2026, 5, 5, 2, 0, tzinfo=UTC)  # still the fourth in Portland, Maine
    customer.merchant.time_zone = "America/New_York"
    customer.merchant.save()
    account = PaymentMethodFactory(customer=customer, **(PENDING | {"saved_at": early}))
    mandate = record_mandate(method=account, text="Yes.", amount=usd("12.00"), acceptance=replace(ACCEPTANCE, at=early))
    mandate.revoked_at = early + timedelta(days=1)
    mandate.save()

    queue_about([account], kind="deposits_sent", now=NOW)
    queue_mandate_copy(mandate, to=UserFactory(), now=NOW)
    deliver()

    deposits, copy = sorted(map(text_of, server.mails), key=lambda text: "authorization" in text)
    assert "by May 18, 2026" in deposits
    assert "May 4, 2026" in copy
    assert "May 5, 2026" in copy


@pytest.mark.parametrize("count", [1, 30])
def test_mails_of_many_methods_cost_the_same(customer, count, django_assert_num_queries):
    methods = PaymentMethodFactory.create_batch(count, customer=customer)
    queue_about(methods, kind="method_added", now=NOW)

    queued, compose = list(Mail.objects.all()), composer_of("method_added")
    assert compose is not None

    with django_assert_num_queries(1):
        compose(queued, NOW)
