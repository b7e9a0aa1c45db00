"""The page of the mail sender: a server is tried before it is kept, and its password never comes back."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from payorcrm.core.clock import now as present
from payorcrm.mail.claim import WayOut
from payorcrm.mail.models import Mail, MailSender, MailState
from payorcrm.merchants.models import Merchant, Role
from payorcrm.staff.models import AuditEntry
from tests.backoffice.rows import client_of, make_mail, make_shop
from tests.factories.own_server import own_sender
from tests.factories.smtp import ScriptedServer
from tests.mail.test_transport import certificate, context, secure_server, trusted

__all__ = ["certificate", "context", "secure_server", "trusted"]

pytestmark = pytest.mark.django_db


def form_of(server: ScriptedServer | None = None, **changes: str) -> dict[str, str]:
    own = {"from_address": "us@harbor.example", "host": "localhost", "port": str(server.port if server else 1)}
    return {"from_name": "Harbor", "uses_own_server": "on", "security": "opportunistic", **own} | changes


def save(shop, **form):
    place = reverse("backoffice:sender", args=[shop.merchant.slug])
    return client_of(shop.merchant).post(place, form, follow=True)


def test_a_server_that_works_is_kept_with_its_password_sealed(secure_server, trusted):
    shop = make_shop()

    page = save(shop, **form_of(secure_server, user="us", password="secret", security="always"))

    sender = MailSender.objects.get(merchant=shop.merchant)
    assert "The mail sender is saved." in page.text
    assert (sender.uses_own_server, sender.password) == (True, "secret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM mail_mailsender")
        assert b"secret" not in bytes(cursor.fetchone()[0])
    assert "secret" not in page.text
    entry = AuditEntry.objects.get(merchant=shop.merchant)
    assert ["Password", "", "(not shown)"] in entry.changes
    assert "secret" not in str(entry.changes)


def test_a_server_that_does_not_work_is_not_kept_and_nothing_typed_is_lost(secure_server, trusted):
    shop = make_shop()

    page = save(shop, **form_of(secure_server, user="us", password="wrong"))

    assert "Nothing was saved. localhost refused the user name or the password." in page.text
    assert 'value="us@harbor.example"' in page.text
    assert "wrong" not in page.text
    assert not MailSender.objects.exists()
    assert not AuditEntry.objects.exists()


def test_servers_are_not_tried_as_fast_as_somebody_can_press():
    shop = make_shop()

    pages = [save(shop, **form_of()).text for _ in range(6)]

    assert ["refuses connections on port 1" in page for page in pages] == [True] * 5 + [False]
    assert "Nothing was saved: a server was tried here often just now." in pages[-1]


def test_the_kept_password_goes_nowhere_else_without_being_typed_again(secure_server, trusted, server):
    shop = make_shop()
    form = form_of(secure_server, user="us", password="secret")
    save(shop, **form)

    renamed = save(shop, **form | {"password": "", "from_name": "New name"})
    moved = save(shop, **form | {"password": "", "port": str(server.port)})

    assert "The mail sender is saved." in renamed.text
    assert "Type the password again" in moved.text
    sender = MailSender.objects.get()
    assert (sender.from_name, sender.password, sender.port) == ("New name", "secret", secure_server.port)
    assert server.connection_count == 0


def test_an_own_server_needs_host_and_address():
    page = save(make_shop(), uses_own_server="on", port="587", security="always").text

    assert page.count("Your own server needs this.") == 2
    labels = re.findall(r'<label for="id_(\w+)">.*?</label>', page)
    optional = re.findall(r'<label for="id_(\w+)">[^<]*<span class="optional">', page)
    assert set(optional) == {"from_name", "user", "password"} < set(labels)


def test_a_saved_server_lets_waiting_mails_go_at_once(server):
    shop = make_shop()
    own_sender(None, shop.merchant, failing_since=present(), failure="It cannot be reached", rests_until=present())
    mail = make_mail(shop.customer, state=MailState.DEFERRED, send_after=present().replace(year=2099))
    page = client_of(shop.merchant, Role.VIEWER).get(reverse("backoffice:sender", args=[shop.merchant.slug]))
    assert "Your mail server has been away since" in page.text
    assert "1 mail waits for it" in page.text

    save(shop, **form_of(server))

    mail.refresh_from_db()
    assert mail.send_after <= present()
    assert MailSender.objects.get().failing_since is None


def test_a_trial_mail_goes_to_oneself_alone():
    shop = make_shop()
    client = client_of(shop.merchant)

    page = client.post(reverse("backoffice:sender_trial", args=[shop.merchant.slug]), follow=True)

    mail = Mail.objects.get(kind="sender_trial")
    assert mail.to_address == shop.merchant.staff.get().user.email
    assert f"to {mail.to_address}" in page.text


def test_a_new_account_reads_what_waits_for_tomorrow_and_how_to_send_more(settings):
    settings.NEW_ACCOUNT_MAILS_PER_DAY = 5
    shop = make_shop()
    Merchant.objects.filter(id=shop.merchant.id).update(is_trusted=False)
    for _ in range(6):
        make_mail(shop.customer, state=MailState.QUEUED, is_bulk=True, send_after=present())
    WayOut().claim(now=present())
    client = client_of(shop.merchant, Role.VIEWER)

    for name in ("dashboard", "mails"):
        page = client.get(reverse(f"backoffice:{name}", args=[shop.merchant.slug])).text
        assert "2 mails wait for the next day" in page
        assert "may send 5 mails to customers a day" in page
    assert "Over the limit of a new account" in page
    page = client.get(reverse("backoffice:sender", args=[shop.merchant.slug])).text
    assert "4 are used until" in page
    assert "use a mail server of your own" in page


def test_a_trusted_merchant_reads_of_no_limit():
    shop = make_shop()
    client = client_of(shop.merchant)

    for name in ("dashboard", "mails", "sender"):
        assert (
            "mails to customers a day" not in client.get(reverse(f"backoffice:{name}", args=[shop.merchant.slug])).text
        )
