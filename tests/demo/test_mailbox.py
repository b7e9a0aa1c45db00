"""The mailbox over HTTP: what it lists and shows, and that it changes and runs nothing."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

from payorcrm.config.urls import urlpatterns
from payorcrm.mail.models import MailboxMessage
from tests.demo.letters import receive, receive_many

FROM_HTMX = {"HX-Request": "true"}


def test_mailbox_is_absent_outside_demo_mode(client: Client, db: None):
    assert "demo" not in {getattr(pattern, "app_name", None) for pattern in urlpatterns}
    with pytest.raises(Resolver404):
        resolve("/mailbox/")
    assert client.get("/mailbox/").status_code == 404


@pytest.mark.usefixtures("demo_mode")
class TestList:
    def test_empty_mailbox_says_what_will_come(self, client: Client):
        assert "No mail yet" in client.get("/mailbox/").content.decode()

    def test_newest_message_comes_first_with_sender_subject_and_address(self, client: Client):
        receive_many(3)

        page = client.get("/mailbox/").content.decode()

        assert page.index("Message 2") < page.index("Message 1") < page.index("Message 0")
        assert "Alder &amp; Finch Wholesale" in page
        assert "to jo@juniperstreet.example" in page

    def test_filter_for_what_is_no_address_is_none(self, client: Client):
        receive("For Jo")

        assert "For Jo" in client.get("/mailbox/?to=%00").content.decode()

    def test_filter_shows_one_address_only(self, client: Client):
        receive("For Jo")
        receive("For the merchant", to="wren@alderfinch.example")

        page = client.get("/mailbox/", {"to": "wren@alderfinch.example"}).content.decode()

        assert "For the merchant" in page
        assert "For Jo" not in page
        assert "<option selected>wren@alderfinch.example" in page

    def test_long_mailbox_is_paged(self, client: Client):
        receive_many(40)

        first = client.get("/mailbox/")
        second = client.get(f"/mailbox/?{first.context['page'].next}")

        assert [line.subject for line in second.context["page"].rows] == [f"Message {n}" for n in range(9, -1, -1)]
        assert "hx-trigger" in first.content.decode()
        assert "hx-trigger" not in second.content.decode()

    def test_news_are_answered_with_the_list_alone_and_marked(self, client: Client):
        old = receive("Old")
        seen = {"since": str(old.id)}

        nothing = client.get("/mailbox/", seen, headers=FROM_HTMX)
        receive("Just arrived")
        news = client.get("/mailbox/", seen, headers=FROM_HTMX)

        assert (nothing.status_code, nothing.content) == (204, b"")
        assert [line.is_fresh for line in news.context["page"].rows] == [True, False]
        assert "<html" not in news.content.decode()

    def test_first_message_is_news_for_an_empty_mailbox(self, client: Client):
        assert client.get("/mailbox/", {"since": "none"}, headers=FROM_HTMX).status_code == 204
        receive()

        assert client.get("/mailbox/", {"since": "none"}, headers=FROM_HTMX).context["page"].rows[0].is_fresh

    @pytest.mark.parametrize("count", [1, 30])
    def test_list_takes_two_queries_however_long(self, client: Client, count: int):
        receive_many(count)

        with CaptureQueriesContext(connection) as queries:
            client.get("/mailbox/")

        assert len(queries) == 2


@pytest.mark.usefixtures("demo_mode")
class TestMessage:
    def test_parts_are_shown_each_on_its_own(self, client: Client):
        path = f"/mailbox/{receive().id}/"

        page, text, headers = (
            client.get(path, {"part": part}).content.decode() for part in ("html", "text", "headers")
        )

        assert f'src="{path}html/"' in page
        assert "Hello Jo, pay at" in text
        assert "<iframe" not in text
        assert "Message-ID" in headers

    def test_raw_message_is_downloaded_as_it_was_sent(self, client: Client):
        row = receive()

        answer = client.get(f"/mailbox/{row.id}/raw/")

        assert answer.content == bytes(row.raw)
        assert answer["Content-Type"] == "message/rfc822"
        assert answer["Content-Disposition"] == f'attachment; filename="message-{row.id}.eml"'

    def test_frame_may_run_nothing_and_be_framed_by_us_only(self, client: Client):
        answer = client.get(f"/mailbox/{receive().id}/html/")

        policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert "script-src" not in policy
        assert "allow-scripts" not in policy["sandbox"]
        assert "allow-same-origin" not in policy["sandbox"]
        assert policy["frame-ancestors"] == "'self'"
        assert answer["X-Frame-Options"] == "SAMEORIGIN"

    def test_html_in_names_and_subjects_is_text(self, client: Client):
        row = receive('<script>alert("s")</script>', sender="<img src=x onerror=alert(1)>")

        for path in ("/mailbox/", f"/mailbox/{row.id}/", f"/mailbox/{row.id}/?part=headers"):
            page = client.get(path).content.decode()
            assert '<script>alert("s")' not in page
            assert "<img src=x" not in page

    def test_reading_changes_nothing_and_nothing_else_is_allowed(self, client: Client):
        row = receive()
        paths = ["/mailbox/", f"/mailbox/{row.id}/", f"/mailbox/{row.id}/html/", f"/mailbox/{row.id}/raw/"]
        before = list(MailboxMessage.objects.values())

        with CaptureQueriesContext(connection) as queries:
            assert [client.get(path).status_code for path in paths] == [200] * 4
            assert [client.head(path).status_code for path in paths] == [200] * 4

        assert all(query["sql"].startswith("SELECT") for query in queries)
        assert [client.post(path).status_code for path in paths] == [405] * 4
        assert list(MailboxMessage.objects.values()) == before

    def test_unknown_message_is_not_found(self, client: Client):
        path = "/mailbox/01a204ad-7741-72a4-8ee0-7a0936b6233e/"

        assert [client.get(f"{path}{part}").status_code for part in ("", "html/", "raw/")] == [404] * 3
