"""Mail scanners open every link of every mail, some of them in a browser that runs scripts: nothing changes."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import urllib3
from django.db import connection
from django.db.backends.utils import CursorWrapper
from playwright.sync_api import BrowserContext

from payorcrm.gateways.sandbox.provision import settle_debit
from payorcrm.invoices.models import Invoice
from payorcrm.payments.collect import collect
from payorcrm.payments.confirm import request_confirmation
from payorcrm.payments.fresh_link import mail_fresh_link
from tests.factories.inbox import text_of
from tests.factories.journey import Business, labelled_links, open_business, wait_until
from tests.factories.models import request_for
from tests.factories.payers import post_form
from tests.factories.system import RunningSystem
from tests.payments.kit import order_for

ADDRESS = re.compile(r"https?://[^\s<>\"]+")
# The rows of django-allauth, which counts how often an address asks, so that passwords cannot be guessed, and keeps the
# key of a password reset in a session, so that it does not stay in the address.
NOT_OURS = {"public.django_session": "false", "public.django_cache": "cache_key NOT LIKE '%allauth:rl:%'"}
LOOKS_MS = 3_000
TABS_AT_ONCE = 6
KINDS = {
    "Reminder",
    "Confirm your payment",
    "Receipt",
    "On its way",
    "Not charged",
    "Sent back by your bank",
    "Returned:",
    "Your new payment link",
    "Password",
}


@pytest.fixture
def business(system: RunningSystem) -> Business:
    """A business whose customer and owner have got every kind of mail."""
    business = open_business(system, "10.00", "20.00", "30.00", "40.00")
    card, account = business.save_card(), business.save_account()
    returned, silent = business.save_account("000222222001"), business.save_card("4100000000052002")
    first, second, third, fourth = Invoice.objects.filter(customer=business.customer).order_by("total")
    now = datetime.now(UTC)
    collect(order=order_for(card, first), now=now)
    pending = collect(order=order_for(account, second), now=now)
    collect(order=order_for(returned, third), now=now)
    # As if it had been sent a while ago, so that the job that asks does so at once, and the payer is told by mail.
    collect(order=order_for(silent, fourth), now=now - timedelta(minutes=5))
    business.mail("Sent back by your bank")
    business.mail("Not charged")
    settle_debit(business.account.credentials(), pending.gateway_reference)
    business.remind()
    request_confirmation(request=request_for(third, fourth), method=card, now=datetime.now(UTC))
    mail_fresh_link(request=request_for(third), now=datetime.now(UTC))
    _forget_password(system, business.owner.email)
    return business


def test_scanners_change_nothing(
    system: RunningSystem, business: Business, new_profile: Callable[..., BrowserContext]
) -> None:
    links = _all_links(system, business)
    system.kill("worker")  # it beats its heart in the database, and would hide a job that a scanner enqueues
    try:
        before = _digests()
        for link in links:
            _scan_by_http(link)
        _scan_in_browser(new_profile(), links)

        assert _digests() == before
    finally:
        system.start("worker")


def test_digest_sees_a_change(system: RunningSystem) -> None:
    business = open_business(system)
    before = _digests()

    business.customer.company_name += "!"
    business.customer.save()

    assert _digests() != before


def _all_links(system: RunningSystem, business: Business) -> list[str]:
    """Return every address of every mail to the customer and the owner, in HTML, text and headers."""
    people = {business.address, business.owner.email}
    wait_until(lambda: not KINDS - _kinds(system, people), f"mails of all kinds, without {KINDS}")
    mails = [mail for mail in system.inbox.mails if mail["X-Envelope-To"] in people]
    found: dict[str, None] = {}
    for mail in mails:
        found |= dict.fromkeys(ADDRESS.findall(text_of(mail)))
        found |= dict.fromkeys(address for address, _ in labelled_links(mail) if address.startswith("http"))
        found |= dict.fromkeys(ADDRESS.findall(mail["List-Unsubscribe"] or ""))
    for place in ("/pay/", "/confirm/", "/payment/", "/unsubscribe/", "/m/", "/account/password/reset/key/"):
        assert any(place in address for address in found), f"no link to {place}"
    return list(found)


def _kinds(system: RunningSystem, people: set[str]) -> set[str]:
    subjects = [mail["Subject"] for mail in system.inbox.mails if mail["X-Envelope-To"] in people]
    return {kind for kind in KINDS if any(kind.lower() in subject.lower() for subject in subjects)}


def _scan_by_http(link: str) -> None:
    for method, follows in (("HEAD", False), ("GET", False), ("GET", True)):
        answer = urllib3.request(method, link, redirect=follows, retries=5 if follows else False)
        assert answer.status < 500, f"{method} {link}: {answer.status}"


def _scan_in_browser(context: BrowserContext, links: list[str]) -> None:
    """Load each page with scripts, stay a while and do nothing."""
    for start in range(0, len(links), TABS_AT_ONCE):
        tabs = [context.new_page() for _ in links[start : start + TABS_AT_ONCE]]
        for tab, link in zip(tabs, links[start:], strict=False):
            tab.goto(link)
        tabs[-1].wait_for_timeout(LOOKS_MS)
        for tab in tabs:
            tab.close()


def _digests() -> dict[str, str]:
    """Return a digest of every table of every schema, but for the rows named above."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""
        )
        return {table: _digest(cursor, table) for (table,) in cursor.fetchall()}


def _digest(cursor: CursorWrapper, table: str) -> str:
    rest = NOT_OURS.get(table, "true")
    cursor.execute(
        f"SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {table} AS t WHERE {rest}"
    )
    return str(cursor.fetchone()[0])


def _forget_password(system: RunningSystem, email: str) -> None:
    assert post_form(f"{system.url}/account/password/reset/", {"email": email}).status == 302
