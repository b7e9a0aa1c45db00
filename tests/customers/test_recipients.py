"""Who gets a mail to a customer, and that nobody changes it unseen."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from payorcrm.core.errors import Refused
from payorcrm.customers.direct_mails import AddressTwice, TooManyAddresses, direct_mails
from payorcrm.customers.models import Contact, Customer, Notification, Topic
from payorcrm.customers.recipients import Recipients, recipients_of
from payorcrm.mail.models import Mail
from tests.factories.models import NOW, CustomerFactory, UserFactory
from tests.factories.outbox import deliver
from tests.factories.smtp import ScriptedServer

pytestmark = pytest.mark.django_db


def customer_of(email: str = "jo@acme.example", **fields: Any) -> Customer:
    return CustomerFactory(contact__email=email, **fields)


def direct(customer: Customer, topic: Topic = Topic.PAYMENTS, **wishes: Any) -> Notification:
    defaults: dict[str, Any] = {"is_wanted": True, "to": [], "cc": [], "changed_by": None, "now": NOW}
    return direct_mails(customer=customer, topic=topic, **(defaults | wishes))


def test_without_a_wish_mail_goes_to_the_address_on_file() -> None:
    customer = customer_of()

    found = recipients_of([customer.id], Topic.PAYMENTS)

    assert found == {customer.id: Recipients([("jo@acme.example", "Jo Miller")], [])}
    assert found[customer.id].as_fields() == {
        "to_address": "jo@acme.example", "to_name": "Jo Miller", "also_to": [], "cc": []
    }  # fmt: skip


def test_a_name_that_is_too_long_for_a_mail_is_cut() -> None:
    customer = customer_of(contact__first_name="J" * 100, contact__last_name="M" * 100)

    fields = recipients_of([customer.id], Topic.PAYMENTS)[customer.id].as_fields()

    assert fields["to_name"] == "J" * 100 + " " + "M" * 99


def test_mail_goes_where_the_customer_wants_it_and_other_mail_does_not() -> None:
    customer = customer_of()

    direct(customer, to=["ann@acme.example", "jo@acme.example"], cc=["cfo@acme.example"])

    assert recipients_of([customer.id], Topic.PAYMENTS)[customer.id] == Recipients(
        [("ann@acme.example", ""), ("jo@acme.example", "Jo Miller")], ["cfo@acme.example"]
    )
    assert recipients_of([customer.id], Topic.REMINDERS)[customer.id].to == [("jo@acme.example", "Jo Miller")]


def test_copies_alone_leave_the_address_on_file_the_addressee() -> None:
    customer = customer_of()

    direct(customer, cc=["cfo@acme.example"])

    assert recipients_of([customer.id], Topic.PAYMENTS)[customer.id] == Recipients(
        [("jo@acme.example", "Jo Miller")], ["cfo@acme.example"]
    )


def test_unwanted_mail_and_mail_without_an_address_go_to_nobody() -> None:
    unwanted, without, named = customer_of(), customer_of(email=""), customer_of(email="")
    Contact.objects.filter(customer=named).delete()

    direct(unwanted, is_wanted=False)
    direct(named, to=["ann@acme.example"])

    found = recipients_of([unwanted.id, without.id, named.id], Topic.PAYMENTS)
    assert found == {named.id: Recipients([("ann@acme.example", "")], [])}


@pytest.mark.parametrize("count", [1, 30])
def test_one_statement_finds_all_recipients(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    customers = [customer_of().id for _ in range(count)]

    with django_assert_num_queries(1):
        assert len(recipients_of(customers, Topic.METHODS)) == count


def test_ending_reminders_in_the_portal_is_the_same_as_by_their_link() -> None:
    customer = customer_of()

    direct(customer, Topic.REMINDERS, is_wanted=False)
    customer.refresh_from_db()
    assert customer.unsubscribed_at == NOW

    direct(customer, Topic.REMINDERS, is_wanted=True)
    customer.refresh_from_db()
    assert customer.unsubscribed_at is None


@pytest.mark.parametrize(
    ("wishes", "error"),
    [
        ({"to": [f"p{n}@acme.example" for n in range(6)]}, TooManyAddresses),
        ({"cc": [f"p{n}@acme.example" for n in range(11)]}, TooManyAddresses),
        ({"to": ["ann@acme.example"], "cc": ["Ann@acme.example"]}, AddressTwice),
    ],
)
def test_too_many_or_repeated_addresses_change_nothing(wishes: dict[str, Any], error: type[Refused]) -> None:
    customer = customer_of()

    with pytest.raises(error):
        direct(customer, **wishes)

    assert not Notification.objects.exists()
    assert not Mail.objects.exists()


def test_the_address_on_file_hears_where_mails_go_now_and_who_changed_it(server: ScriptedServer) -> None:
    customer = customer_of(company_name="Acme Tools")
    user = UserFactory(email="ann@acme.example")

    direct(customer, Topic.PAYMENTS, to=["ann@acme.example"], cc=["cfo@acme.example"], changed_by=user)
    direct(customer, Topic.REMINDERS, is_wanted=False, changed_by=user)
    deliver()

    (notice,) = server.mails
    body = notice.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert server.recipients == ["jo@acme.example"]
    assert "ann@acme.example has changed who gets the mails" in text
    assert "To: ann@acme.example" in text
    assert "Copy to: cfo@acme.example" in text
    assert "They are not sent any more." in text


def test_a_change_without_an_address_on_file_needs_no_notice() -> None:
    direct(customer_of(email=""), to=["ann@acme.example"])

    assert not Mail.objects.exists()
