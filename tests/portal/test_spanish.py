"""The portal in Spanish: nothing of it is left in English, and its longer words fit a telephone."""

import html
import re
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.mail.drafts import composer_of
from payorcrm.mail.models import Mail
from payorcrm.payment_methods.models import Mandate
from payorcrm.payments.links import BANK, CARD, payment_link, payment_page_token, unsubscribe_link
from payorcrm.payments.models import Confirmation, Payment, PaymentState
from payorcrm.payments.secrets import secrets_of
from tests.backoffice.rows import make_payment
from tests.factories.browsing import HOST, browse
from tests.factories.models import (
    InvoiceFactory,
    PaymentMethodFactory,
    PortalAccessFactory,
    request_for,
)

pytestmark = pytest.mark.django_db
# Words that are in nearly every English sentence and in no Spanish one.
ENGLISH = re.compile(
    r"\b(the|your|you|this|is|are|was|with|for|from|and|of|to|not|by|it|we|on|at|all|paid|due)\b", re.I
)
_SILENT = re.compile(r"<(style|script|head)\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SPOKEN = re.compile(r'\b(?:aria-label|title|alt|placeholder|data-label)="([^"]*)"')
_ADDRESS = re.compile(r"https?://\S+|[\w.+•]+@[\w.]+")


def english_in(page: str) -> list[str]:
    """Return the sentences of a page that are English."""
    body = _SILENT.sub("", page)
    texts = [*_SPOKEN.findall(body), *_TAG.sub("\n", body).split("\n")]
    bare = (_ADDRESS.sub("", html.unescape(text)).strip() for text in texts)
    return sorted({text for text in bare if ENGLISH.search(text)})


@pytest.fixture
def access(saved):
    """A user of a customer whose merchant collects by the sandbox, both of whom speak Spanish."""
    customer = saved().customer
    customer.language = "es"
    customer.save()
    access = PortalAccessFactory(customer=customer)
    access.user.language = "es"
    access.user.save()
    return access


@pytest.fixture
def signed_in(access):
    client = Client()
    client.force_login(access.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def pages(access):
    customer = access.customer
    bank = PaymentMethodFactory(customer=customer, merchant=customer.merchant, bank=True)
    payments = [
        make_payment(customer, method=bank, invoices=[InvoiceFactory(customer=customer, merchant=customer.merchant)])
        for _ in PaymentState
    ]
    for payment, state in zip(payments, PaymentState, strict=True):
        Payment.objects.filter(id=payment.id).update(state=state, return_code="R01")
    invoice = InvoiceFactory(customer=customer, merchant=customer.merchant)
    names = ("invoices", "payments", "methods", "method_add", "settings", "security", "sessions", "accounts")
    return [
        *(reverse(f"portal:{name}") for name in names),
        *(reverse("portal:payment", args=[payment.id]) for payment in payments),
        *(reverse("portal:payment_result", args=[payment.id]) for payment in payments),
        *(f"{reverse('portal:invoices')}?tab={tab}" for tab in ("processing", "paid")),
        reverse("portal:invoice", args=[invoice.id]),
        reverse("portal:method", args=[bank.id]),
        reverse("portal:method_remove", args=[bank.id]),
        "/portal/nowhere/",
        *mail_pages(customer, invoice),
        *(
            reverse(f"portal:{name}", args=[customer.merchant.slug])
            for name in ("entrance", "register", "forgot_password")
        ),
    ]


def mail_pages(customer, invoice) -> list[str]:
    request = request_for(invoice)
    choices = [str(customer.payment_methods.filter(kind="card").first().id), CARD, BANK]
    paths = [urlsplit(payment_link(request.id, choice, now())).path for choice in choices]
    payment = Payment.objects.first()
    return [
        *paths,
        f"{paths[0]}sent/",
        reverse("portal:result", args=[payment_page_token(payment.id, now())]),
        urlsplit(unsubscribe_link(customer.id, now())).path,
    ]


def test_no_page_is_left_in_english(signed_in, pages):
    answers = {page: signed_in.get(page, follow=True, headers={"Accept-Language": "es"}) for page in pages}

    assert {page: english_in(answer.text) for page, answer in answers.items() if english_in(answer.text)} == {}
    # One address is nobody's, and the account has a payment under way.
    assert sorted({answer.status_code for answer in answers.values()}) == [200, 404, 409]
    assert all('<html lang="es" dir="ltr">' in answer.text for answer in answers.values())


def test_longer_words_fit_a_telephone(signed_in, pages):
    def visit(tab):
        found = {}
        for page in pages:
            tab.page.set_extra_http_headers({"Accept-Language": "es"})
            tab.page.goto(HOST + page, wait_until="domcontentloaded")
            if tab.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found[page] = "wider than the screen"
        return found

    assert browse(signed_in, visit, width=360) == {}


def test_mistakes_are_explained_in_spanish(signed_in, access):
    settings = signed_in.post(
        reverse("portal:settings"), {"part": "mails", "mail_language": "any", "payments-to": "nadie", "methods-to": "x"}
    )
    basket = signed_in.post(reverse("portal:basket"), {}, follow=True)
    missing = signed_in.get(reverse("portal:payment", args=[access.id]))

    assert [english_in(answer.text) for answer in (settings, basket, missing)] == [[], [], []]


def test_a_payment_from_a_mail_is_spanish_to_its_end(client, access):
    request = request_for(InvoiceFactory(customer=access.customer, merchant=access.merchant))
    card = access.customer.payment_methods.get()
    asked = client.post(urlsplit(payment_link(request.id, str(card.id), now())).path, follow=True)
    confirm = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"

    shown = client.get(confirm)
    wrong = Client().post(confirm, {"agreed": 12_000, "code": "1"})
    done = client.post(confirm, {"agreed": 12_000}, follow=True)
    again = client.get(confirm, follow=True)

    assert [english_in(answer.text) for answer in (asked, shown, wrong, done, again)] == [[], [], [], [], []]
    assert Payment.objects.get().state == PaymentState.SUCCEEDED


def test_an_authorization_is_kept_in_the_language_in_which_it_was_given(client, access):
    bank = PaymentMethodFactory(customer=access.customer, merchant=access.merchant, bank=True)
    request = request_for(InvoiceFactory(customer=access.customer, merchant=access.merchant))
    client.post(urlsplit(payment_link(request.id, str(bank.id), now())).path)
    confirm = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"

    client.post(confirm, {"agreed": 12_000})

    assert Mandate.objects.get().text.startswith("Autorizo a ")
    assert english_in(Mandate.objects.get().text) == []


def test_the_mail_that_asks_for_a_confirmation_is_spanish(client, access):
    request = request_for(InvoiceFactory(customer=access.customer, merchant=access.merchant))
    card = access.customer.payment_methods.get()
    client.post(urlsplit(payment_link(request.id, str(card.id), now())).path)

    (draft,) = composer_of("confirmation")(list(Mail.objects.all()), now()).values()

    assert [english_in(text) for text in (draft.subject, draft.text, draft.html)] == [[], [], []]
