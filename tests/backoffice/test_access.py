"""Nobody sees or changes what is another merchant's, and a role allows what it says."""

import re
from collections.abc import Callable, Iterable

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, reverse

from payorcrm.backoffice import urls
from payorcrm.mail.models import MailState
from payorcrm.merchants.models import Role
from tests.backoffice.rows import Shop, client_of, make_mail, make_shop
from tests.factories.models import usd

pytestmark = pytest.mark.django_db

# Each name that may stand in an address; one that is missing here fails the walk.
ID_NAMES = {
    "customer_id",
    "invoice_id",
    "payment_id",
    "mail_id",
    "template_id",
    "method_id",
    "run_id",
    "access_id",
    "note_id",
    "contact_id",
    "file_id",
    "rule_id",
    "day_run_id",
    "hold_id",
    "entry_id",
    "statement_rule_id",
    "statement_run_id",
    "staff_id",
    "invitation_id",
    "attached_id",
    "suppression_id",
    "rehearsal_id",
}
PATTERNS: list[URLPattern] = urls.urlpatterns
# What a POST needs to be more than a malformed one.
FORMS = {
    "template_restore": {"number": "1"},
    "template": {"name": "Mine", "subject": "Hello", "body": "<p>{{invoice_list}}</p>"},
    "settings_company": {"name": "Taken over", "time_zone": "UTC", "currency": "USD", "language": "en"},
    "settings_branding": {"accent_color": "#000000"},
    "settings_portal": {"confirmation_hours": "5"},
    "gateway_connect": {"gateway": "sandbox"},
    "setup_skip": {"step": "look"},
    "gateway_connect_test": {"gateway": "sandbox"},
    "gateway_disconnect": {"gateway": "sandbox"},
    "gateway_choose": {"cards": "sandbox", "accounts": "sandbox"},
    "reminders_send": {"min_days_overdue": "1"},
    "invoice_due_date": {"due_on": "2030-01-31"},
    "invoice_note": {"text": "Called them."},
    "invoice_void": {"note": "Sent twice."},
    "hold_customer": {"reason": "dispute"},
    "hold_invoice": {"reason": "dispute"},
}
READ_BY_VIEWERS = {pattern.name for pattern in PATTERNS} - {
    "reminders_send",
    "mail_again",
    "method_remove",
    "template_preview",
    "template_check",
    "template_test",
    "template_new",
    "template_copy",
    "template_default",
    "template_delete",
    "template_text_remove",
    "template_restore",
    "document_keep",
    "document_remove",
    "invite",
    "invite_test",
    "user_remove",
    "view_as",
    "customer_contact",
    "customer_change",
    "note_write",
    "contact_add",
    "contact_change",
    "contact_remove",
    "contact_primary",
    "note_change",
    "note_delete",
    "import_upload",
    "import_undo",
    "import_columns",
    "import_preview",
    "import_bad_rows",
    "rule_new",
    "rule_switch",
    "rule_copy",
    "rule_move",
    "rule_remove",
    "schedule",
    "day_run_decide",
    "hold_customer",
    "statement_rule_new",
    "statement_rule_switch",
    "statement_rule_delete",
    "statement_run_decide",
    "hold_invoice",
    "hold_end",
    "hold_prolong",
    "sender_trial",
    "team_member",
    "team_remove",
    "team_reset",
    "second_factor",
    "second_factor_switch",
    "staff_invitation_again",
    "staff_invitation_withdraw",
    "offline_customer",
    "offline_record",
    "payment_refund",
    "payment_cancel",
    "payment_reverse",
    "payment_apply",
    "settings",
    "setup_skip",
    "setup_close",
    "setup_test",
    "gateway_connect",
    "gateway_connect_test",
    "gateway_disconnect",
    "gateway_choose",
    "stop_lift",
    "invoice_new",
    "customer_new",
    "invoices_remind",
    "invoices_void",
    "invoices_hold",
    "invoices_end_holds",
    "customers_hold",
    "customers_end_holds",
    "invoice_due_date",
    "invoice_note",
    "invoice_void",
    "invoice_file_attach",
    "invoice_file_remove",
}
# What only its author may change, who is nobody of these tests.
OTHERS_OWN = {"note_change", "note_delete"}
NOT_PAGES = {
    "audit_export",
    "rehearsal_export",
    "customer_statement_mail",
    "customer_statement_pdf",
    "payments_export",
    "settings_branding_preview",
    "journal_export",
    "invoices_export",
    "customers_export",
    "invoice_pdf",
    "receipt_pdf",
    "invoice_file",
}


def address(pattern: URLPattern, shop: Shop, *, slug: str) -> str:
    names = set(pattern.pattern.converters)
    assert names <= ID_NAMES, f"The address {pattern.name} has an id without a rule: {names - ID_NAMES}"
    ids = {name: value for name, value in shop.ids().items() if name in names}
    return reverse(f"backoffice:{pattern.name}", kwargs={"merchant_slug": slug, **ids})


def with_ids() -> list[URLPattern]:
    return [pattern for pattern in PATTERNS if pattern.pattern.converters]


def walk(patterns: Iterable[URLPattern], is_right: Callable[[URLPattern], bool]) -> list[str]:
    """Return the addresses that do not answer as they should; what asking one has changed is undone."""
    wrong = []
    for pattern in patterns:
        before = transaction.savepoint()
        if not is_right(pattern):
            wrong.append(str(pattern.name))
        transaction.savepoint_rollback(before)
    return wrong


def test_another_merchants_back_office_does_not_exist():
    mine, other = make_shop(), make_shop()
    client = client_of(mine.merchant)

    assert (
        walk(PATTERNS, lambda pattern: hides(client, pattern, address(pattern, other, slug=other.merchant.slug))) == []
    )


def hides(client: Client, pattern: URLPattern, place: str) -> bool:
    """Say whether an address answers as if nothing were there."""
    answers = [client.get(place), client.post(place, FORMS.get(str(pattern.name), {}))]
    return all(answer.status_code in (404, 405) for answer in answers)


def test_another_merchants_rows_do_not_exist_in_ones_own_back_office():
    mine, other = make_shop(), make_shop()
    client = client_of(mine.merchant)

    assert (
        walk(with_ids(), lambda pattern: hides(client, pattern, address(pattern, other, slug=mine.merchant.slug))) == []
    )


def test_every_address_answers_one_way_or_the_other():
    shop = make_shop()
    client = client_of(shop.merchant)
    usual = {"customer": str(shop.customer.id), "subject": "Hello", "body": "<p>Hello</p>"}

    def answers(pattern: URLPattern) -> bool:
        place, form = address(pattern, shop, slug=shop.merchant.slug), FORMS.get(str(pattern.name), usual)
        codes = {client.get(place).status_code, client.post(place, form).status_code}
        return bool(codes & ({403} if pattern.name in OTHERS_OWN else {200, 302, 409}))

    assert walk(PATTERNS, answers) == []


BULK = ["invoices_remind", "invoices_void", "invoices_hold", "invoices_end_holds"]


@pytest.mark.parametrize("name", BULK)
def test_another_merchants_invoice_cannot_be_named_in_a_form(name):
    mine, other = make_shop(), make_shop()
    client = client_of(mine.merchant)
    place = reverse(f"backoffice:{name}", args=[mine.merchant.slug])

    for named in (str(other.invoice.id), "nonsense"):
        form = {"invoice": [str(mine.invoice.id), named], "min_days_overdue": "1", "note": "x", "reason": "dispute"}
        assert client.get(place, form).status_code == 404
        assert client.post(place, form).status_code == 404


CUSTOMERS = [
    "reminders_send",
    "template_preview",
    "template_test",
    "invite",
    "invite_test",
    "customers_hold",
    "customers_end_holds",
]


@pytest.mark.parametrize("name", CUSTOMERS)
def test_another_merchants_customer_cannot_be_named_in_a_form(name):
    mine, other = make_shop(), make_shop()
    client = client_of(mine.merchant)
    pattern = next(pattern for pattern in PATTERNS if pattern.name == name)

    place = address(pattern, mine, slug=mine.merchant.slug)

    form = {"customer": str(other.customer.id), "min_days_overdue": "1", "subject": "x", "body": "y"}
    assert client.post(place, form).status_code == 404
    assert client.post(place, form | {"customer": "nonsense"}).status_code == 404


def test_another_merchants_template_cannot_be_sent():
    mine, other = make_shop(), make_shop()
    place = reverse("backoffice:reminders_send", args=[mine.merchant.slug])

    response = client_of(mine.merchant).post(place, {"template": str(other.template.id), "min_days_overdue": "1"})

    assert response.status_code == 200
    assert "Select a valid choice" in response.text


def test_a_stranger_is_asked_to_sign_in():
    shop = make_shop()

    def asks(pattern: URLPattern) -> bool:
        place = address(pattern, shop, slug=shop.merchant.slug)
        answers = [answer for answer in (Client().get(place), Client().post(place)) if answer.status_code != 405]
        return bool(answers) and all("/account/login/" in answer.headers.get("Location", "") for answer in answers)

    assert walk(PATTERNS, asks) == []


def test_a_viewer_changes_nothing():
    shop = make_shop()
    shop.mail.state = MailState.FAILED
    shop.mail.save()
    client = client_of(shop.merchant, Role.VIEWER)

    def is_kept_out(pattern: URLPattern) -> bool:
        place = address(pattern, shop, slug=shop.merchant.slug)
        sent = client.post(place, FORMS.get(str(pattern.name), {}))
        is_refused = pattern.name == "template_preview" or sent.status_code in (403, 405)
        is_readable = client.get(place).status_code == 200
        return is_refused and is_readable == (pattern.name in READ_BY_VIEWERS)

    assert walk(PATTERNS, is_kept_out) == []


def test_nothing_of_the_back_office_stays_in_a_cache():
    shop = make_shop()
    client = client_of(shop.merchant)

    places = [address(pattern, shop, slug=shop.merchant.slug) for pattern in PATTERNS]
    shown = [page for page in map(client.get, places) if page.status_code == 200]
    assert len(shown) > len(READ_BY_VIEWERS)
    assert [page.request["PATH_INFO"] for page in shown if "no-store" not in page.get("Cache-Control", "")] == []


def test_a_viewer_is_not_offered_what_the_role_refuses():
    shop = make_shop()
    make_mail(shop.customer, state=MailState.FAILED)
    client = client_of(shop.merchant, Role.VIEWER)

    for pattern in PATTERNS:
        if pattern.name in READ_BY_VIEWERS and pattern.name not in NOT_PAGES:
            text = client.get(address(pattern, shop, slug=shop.merchant.slug)).text
            main = re.search(r"<main.*</main>", text, re.DOTALL)[0]
            assert "Send reminder" not in main, pattern.name
            assert "Invite" not in main, pattern.name
            assert ">Save<" not in main, pattern.name
            assert "Add note" not in main, pattern.name
            assert "Change the address" not in main, pattern.name
            assert "Record a payment" not in main, pattern.name
            assert "Refund</a>" not in main, pattern.name
            assert "Try again" not in main, pattern.name


def test_a_collector_reads_the_settings_and_cannot_change_them():
    shop = make_shop()
    place = reverse("backoffice:settings_company", args=[shop.merchant.slug])
    client = client_of(shop.merchant, Role.COLLECTOR)

    assert client.get(place).status_code == 200
    response = client.post(place, FORMS["settings_company"])

    shop.merchant.refresh_from_db()
    assert response.status_code == 403
    assert "Your role does not allow this. Nothing was changed." in response.text
    assert shop.merchant.name != "Taken over"


def test_staff_of_two_merchants_have_one_back_office_each():
    mine, other = make_shop(), make_shop()
    client = client_of(mine.merchant)
    other.merchant.staff.create(user=mine.merchant.staff.get().user, role=Role.VIEWER)

    first = client.get(reverse("backoffice:dashboard", args=[mine.merchant.slug]))
    second = client.get(reverse("backoffice:dashboard", args=[other.merchant.slug]))

    assert (first.context["standing"].aging.owed, second.status_code) == (usd("120.00"), 200)
    assert reverse("backoffice:dashboard", args=[other.merchant.slug]) in first.text
