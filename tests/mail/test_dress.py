"""Mails of other libraries wear the one layout: real text, and HTML that says the same."""

from django.core.mail import EmailMultiAlternatives

from payorcrm.core.crypto import decrypt
from payorcrm.mail.backend import OutboxBackend
from payorcrm.mail.dress import dress
from payorcrm.mail.models import Mail

TEXT = "Hello,\n\nChoose a password here:\n\nhttps://pay.example/account/key/1-x/\n\nIt is not <b>urgent</b> & kind.\n"


def test_address_that_stands_alone_becomes_a_button():
    html = dress(subject="Choose a password", text=TEXT)

    assert 'href="https://pay.example/account/key/1-x/"' in html
    assert "Continue</a>" in html


def test_text_is_escaped():
    html = dress(subject='A "quoted" <subject>', text=TEXT)

    assert "It is not &lt;b&gt;urgent&lt;/b&gt; &amp; kind." in html
    assert "<subject>" not in html


def test_plain_mail_goes_out_with_both_parts(db):
    OutboxBackend().send_messages([EmailMultiAlternatives("Choose a password", TEXT, to=["jo@acme.example"])])

    raw = decrypt(bytes(Mail.objects.get().sealed_message)).decode()
    assert "multipart/alternative" in raw
    assert "Content-Type: text/html" in raw
    assert "Content-Type: text/plain" in raw
