"""What mail providers report: only theirs, once each, in any order, and only about addresses that we wrote to."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from payorcrm.core.checks import MAIL_PROVIDERS
from payorcrm.core.clock import now as present
from payorcrm.mail.jobs import forget_old_mail_events
from payorcrm.mail.models import Mail, MailEvent, MailState, Suppression
from payorcrm.mail.suppress import lift
from payorcrm.mail.trace import HEADERS
from payorcrm.mail.track import MailNotRecordedYet, apply_event
from payorcrm.reminders.models import Hold, HoldReason, LeftOut
from payorcrm.reminders.select import overdue_summary
from payorcrm.webhooks.read_mail_events import HARD as HARD_BY_PROVIDER
from payorcrm.webhooks.read_mail_events import VIEWS
from tests.backoffice.rows import make_mail
from tests.factories.models import CustomerFactory, InvoiceFactory, UserFactory

pytestmark = pytest.mark.django_db
KEY = "key-of-mailgun"
PASSWORD = "provider:a-long-secret"
ADDRESS = "jo@acme.example"


@pytest.fixture(params=["mailgun"])
def provider(request, settings):
    return configure(settings, request.param)


def configure(settings, provider):
    settings.MAIL_EVENTS_PROVIDER = provider
    settings.MAIL_EVENTS_SECRET = KEY if provider == "mailgun" else PASSWORD
    return provider


@pytest.fixture
def mail(db):
    customer = CustomerFactory()
    customer.contacts.update(email=ADDRESS)
    return make_mail(customer, to_address=ADDRESS, sent_at=present(), queued_at=present())


def mailgun(mail, event, *, token="t1", key=KEY, at=None, **more):
    moment = (at or present()).timestamp()
    signed = hmac.new(key.encode(), f"{int(moment)}{token}".encode(), hashlib.sha256).hexdigest()
    data = {
        "event": event,
        "timestamp": moment,
        "recipient": mail.to_address,
        "message": {"headers": {"message-id": f"{mail.id}@payorcrm.example"}},
        "user-variables": {},
    }
    return {
        "signature": {"timestamp": str(int(moment)), "token": token, "signature": signed},
        "event-data": data | more,
    }


HARD = {
    "severity": "permanent",
    "reason": "bounce",
    "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
}


def post(client, body, *, to="mailgun", password=""):
    headers = {"Authorization": f"Basic {base64.b64encode(password.encode()).decode()}"} if password else {}
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post(
        reverse("webhooks:mail_events", args=[to]), text, content_type="application/json", headers=headers
    )


def apply_all():
    for event in MailEvent.objects.filter(applied_at=None).order_by("id"):
        apply_event(event_id=event.id, now=present())


def test_a_hard_bounce_marks_the_mail_stops_the_address_and_holds_the_customer(client, provider, mail):
    InvoiceFactory(customer=mail.customer)

    answer = post(client, mailgun(mail, "failed", **HARD))
    apply_all()

    mail.refresh_from_db()
    stop = Suppression.objects.get()
    assert answer.status_code == 200
    assert (mail.state, mail.last_error) == (MailState.BOUNCED, "It came back: 5.1.1 no such user")
    assert (stop.merchant, stop.address, stop.reason, stop.note) == (
        mail.merchant, ADDRESS, "bounced", "5.1.1 no such user",
    )  # fmt: skip
    assert Hold.objects.get().reason == HoldReason.BOUNCED
    (left_out,) = overdue_summary(mail.merchant, present()).left_out
    assert left_out.reason == LeftOut.SUPPRESSED


@pytest.mark.parametrize(
    "body",
    [
        {"key": "somebody-elses-key"},
        {"token": "another-token-than-signed"},
    ],
)
def test_a_forged_report_is_refused_and_not_kept(client, provider, mail, body):
    forged = mailgun(mail, "failed", **HARD, **({"key": body["key"]} if "key" in body else {}))
    if "token" in body:
        forged["signature"]["token"] = body["token"]

    assert post(client, forged).status_code == 400
    assert not MailEvent.objects.exists()


def test_an_old_signature_does_not_vouch_for_a_new_report(client, provider, mail):
    assert post(client, mailgun(mail, "failed", at=present() - timedelta(days=3), **HARD)).status_code == 400
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "no json",
        '{"signature": null}',
        '"x"',
        '{"signature": {}}',
        pytest.param("[" * 99_999, id="deep"),
    ],
)
def test_what_is_no_report_at_all_is_refused(client, provider, text):
    assert post(client, text).status_code == 400


@pytest.mark.parametrize("password", ["", "provider:wrong", "nobody:a-long-secret", "x"])
@pytest.mark.parametrize("name", ["postmark", "brevo", "mailjet"])
def test_a_provider_without_signatures_needs_the_password(client, settings, name, password):
    configure(settings, name)

    assert post(client, {"RecordType": "Bounce"}, to=name, password=password).status_code == 400
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize(("configured", "asked"), [("", "mailgun"), ("mailgun", "postmark"), ("mailgun", "nobody")])
def test_another_provider_does_not_exist(client, settings, configured, asked):
    configure(settings, configured)

    assert post(client, {}, to=asked, password=PASSWORD).status_code == 404


def test_without_a_secret_nothing_is_believed(client, settings, mail):
    configure(settings, "postmark")
    settings.MAIL_EVENTS_SECRET = ""

    assert post(client, {}, to="postmark").status_code == 404


def test_a_replay_is_kept_once_and_cannot_say_something_else(client, provider, mail):
    post(client, mailgun(mail, "delivered"))
    post(client, mailgun(mail, "delivered"))
    post(client, mailgun(mail, "failed", **HARD))
    apply_all()

    mail.refresh_from_db()
    assert MailEvent.objects.count() == 1
    assert (mail.state, bool(mail.delivered_at)) == (MailState.SENT, True)


def test_events_out_of_order_keep_the_first_moment_of_each_and_the_bounce(client, provider, mail):
    start = present()
    late, early = start + timedelta(seconds=0), start - timedelta(minutes=2)
    for place, (event, at) in enumerate([("opened", late), ("clicked", late), ("opened", early), ("delivered", early)]):
        post(client, mailgun(mail, event, token=f"t{place}", at=at))
    post(client, mailgun(mail, "failed", token="b", **HARD))
    post(client, mailgun(mail, "delivered", token="d", at=late))
    apply_all()

    mail.refresh_from_db()
    assert mail.state == MailState.BOUNCED
    assert abs(mail.opened_at - early) < timedelta(seconds=1)
    assert abs(mail.delivered_at - early) < timedelta(seconds=1)
    assert abs(mail.clicked_at - late) < timedelta(seconds=1)


def test_a_bounce_that_overtakes_the_record_of_its_sending_is_tried_again(client, provider, mail):
    Mail.objects.update(state=MailState.SENDING, claimed_at=present(), sent_at=None)
    post(client, mailgun(mail, "failed", **HARD))

    with pytest.raises(MailNotRecordedYet):
        apply_all()
    Mail.objects.update(state=MailState.SENT, claimed_at=None, sent_at=present())
    apply_all()

    mail.refresh_from_db()
    assert mail.state == MailState.BOUNCED
    assert Suppression.objects.count() == 1


def test_a_mark_that_overtakes_the_record_of_its_sending_is_kept(client, provider, mail):
    Mail.objects.update(state=MailState.SENDING, claimed_at=present())

    post(client, mailgun(mail, "opened"))
    apply_all()

    mail.refresh_from_db()
    assert (mail.state, bool(mail.opened_at)) == (MailState.SENDING, True)


def test_a_bounce_of_an_earlier_try_does_not_touch_the_later_one(client, provider, mail):
    Mail.objects.update(queued_at=present(), state=MailState.SENT)

    post(client, mailgun(mail, "failed", at=present() - timedelta(hours=1), **HARD))
    apply_all()

    mail.refresh_from_db()
    assert mail.state == MailState.SENT


@pytest.mark.parametrize("recipient", ["victim@elsewhere.example", "JO@ACME.EXAMPLE"])
def test_only_an_address_that_the_mail_went_to_is_stopped(client, provider, mail, recipient):
    post(client, mailgun(mail, "failed", recipient=recipient, **HARD))
    apply_all()

    assert Suppression.objects.exists() == (recipient.lower() == ADDRESS)


def test_a_copy_that_comes_back_stops_its_address_and_not_the_mail(client, provider, mail):
    Mail.objects.update(cc=["boss@acme.example"])

    post(client, mailgun(mail, "failed", recipient="boss@acme.example", **HARD))
    apply_all()

    mail.refresh_from_db()
    assert mail.state == MailState.SENT
    assert Suppression.objects.get().address == "boss@acme.example"
    assert not Hold.objects.exists()


def test_other_merchants_still_write_to_the_address(client, provider, mail):
    other = InvoiceFactory()
    other.customer.contacts.update(email=ADDRESS)

    post(client, mailgun(mail, "complained"))
    apply_all()

    assert Suppression.objects.get().merchant == mail.merchant
    assert overdue_summary(other.merchant, present()).mail_count == 1


def test_mails_that_are_not_ours_or_of_no_merchant_change_nothing(client, provider, mail):
    of_nobody = make_mail(mail.customer, to_address=ADDRESS)
    Mail.objects.filter(id=of_nobody.id).update(merchant=None, customer=None)
    stranger = Mail(to_address=ADDRESS)

    post(client, mailgun(stranger, "failed", token="s", **HARD))
    post(client, mailgun(of_nobody, "failed", token="n", **HARD))
    apply_all()

    of_nobody.refresh_from_db()
    assert of_nobody.state == MailState.BOUNCED
    assert not Suppression.objects.exists()
    assert not MailEvent.objects.filter(applied_at=None).exists()


@pytest.mark.parametrize(
    "said",
    [
        {"severity": "temporary", "reason": "generic", "delivery-status": {"message": "4.2.2 full"}},
        {"severity": "permanent", "reason": "generic", "delivery-status": {"message": "5.7.1 policy"}},
        {"severity": "permanent", "reason": "bounce", "delivery-status": {"message": "552 5.2.2 mailbox full"}},
    ],
)
def test_what_may_pass_stops_no_address(client, provider, mail, said):
    post(client, mailgun(mail, "failed", **said))
    apply_all()

    mail.refresh_from_db()
    assert not Suppression.objects.exists()
    assert mail.state == (MailState.SENT if said["severity"] == "temporary" else MailState.BOUNCED)


def test_who_unsubscribes_at_the_provider_gets_no_more_reminders(client, provider, mail):
    InvoiceFactory(customer=mail.customer)
    post(client, mailgun(mail, "unsubscribed"))
    apply_all()

    (left_out,) = overdue_summary(mail.merchant, present()).left_out
    assert left_out.reason == LeftOut.UNSUBSCRIBED


def test_lifting_ends_the_hold_and_an_older_bounce_does_not_bring_it_back(client, provider, mail):
    post(client, mailgun(mail, "failed", token="t1", **HARD))
    apply_all()
    lift(Suppression.objects.get(), lifted_by=UserFactory(), now=present())

    post(client, mailgun(mail, "failed", token="t2", at=present() - timedelta(hours=2), **HARD))
    apply_all()

    assert not Suppression.objects.active().exists()
    assert not Hold.objects.filter(ended_at=None).exists()
    post(client, mailgun(mail, "failed", token="t3", at=present() + timedelta(seconds=9), **HARD))
    apply_all()
    assert Suppression.objects.active().exists()


def of_postmark(mail):
    return {
        "RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "Email": ADDRESS, "MessageID": "their-own",
        "Details": "550 no such user", "BouncedAt": present().isoformat(), "Metadata": {"mail": str(mail.id)},
    }  # fmt: skip


def of_brevo(mail):
    return {
        "event": "hard_bounce", "email": ADDRESS, "message-id": "<their-own@relay>", "reason": "550 no such user",
        "ts_epoch": int(present().timestamp() * 1000), "X-Mailin-custom": json.dumps({"mail": str(mail.id)}),
    }  # fmt: skip


def of_mailjet(mail):
    return [
        {
            "event": "bounce", "email": ADDRESS, "MessageID": 19421777, "hard_bounce": True, "error": "user unknown",
            "time": int(present().timestamp()), "Payload": json.dumps({"mail": str(mail.id)}),
            "smtp_reply": "550 no such user",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "body"), [("postmark", of_postmark), ("brevo", of_brevo), ("mailjet", of_mailjet)])
def test_each_provider_names_our_mail_by_the_header_that_we_gave(client, settings, mail, name, body):
    configure(settings, name)

    for _ in range(2):
        assert post(client, body(mail), to=name, password=PASSWORD).status_code == 200
        apply_all()

    mail.refresh_from_db()
    assert mail.state == MailState.BOUNCED
    assert Suppression.objects.get().note == "550 no such user"


def test_a_genuine_report_that_nobody_understands_is_kept_and_changes_nothing(client, settings, mail):
    configure(settings, "brevo")

    answer = post(client, {"items": ["\\u0000"]}, to="brevo", password=PASSWORD)
    nonsense = post(client, "[1, 2]", to="brevo", password=PASSWORD)
    apply_all()

    assert (answer.status_code, nonsense.status_code) == (200, 200)
    assert set(MailEvent.objects.values_list("kind", flat=True)) == {"other"}


@pytest.mark.parametrize(
    "more", [{"timestamp": 1e30}, {"delivery-status": {"message": "\ud800 no"}}, {"recipient": "j\ud800@acme.example"}]
)
def test_a_genuine_report_with_what_no_text_or_time_can_be_is_kept(client, provider, mail, more):
    assert post(client, mailgun(mail, "failed", **(HARD | more))).status_code == 200

    apply_all()

    assert MailEvent.objects.count() == 1


def test_old_reports_are_forgotten_and_what_followed_stays(client, provider, mail):
    post(client, mailgun(mail, "failed", **HARD))
    apply_all()
    MailEvent.objects.update(received_at=datetime(2020, 1, 1, tzinfo=UTC))

    forget_old_mail_events(timestamp=0)

    assert not MailEvent.objects.exists()
    assert Suppression.objects.active().exists()


def test_every_provider_that_may_be_configured_is_understood():
    assert set(MAIL_PROVIDERS) == set(VIEWS) == set(HARD_BY_PROVIDER) == set(HEADERS)
