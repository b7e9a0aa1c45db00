"""Whatever the staff do in the back office is written down: who, when, what was before and after."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse

from payorcrm.backoffice.audit_labels import ACTIONS, CHANGES_NOTHING, SUBJECTS
from payorcrm.core.clock import now as present
from payorcrm.merchants.models import Role
from payorcrm.reminders.models import Hold
from payorcrm.staff.models import AuditEntry, AuditKind
from payorcrm.staff.record_change import record_change
from tests.backoffice.rows import client_of, make_shop
from tests.backoffice.test_access import FORMS, ID_NAMES, PATTERNS, address, walk
from tests.factories.models import NOW, PASSWORD, InvoiceFactory, StaffFactory, UserFactory, usd

pytestmark = pytest.mark.django_db


def test_every_address_that_takes_posts_has_words_for_the_audit_log():
    shop = make_shop()
    client = client_of(shop.merchant, Role.VIEWER)

    def is_as_said(pattern: URLPattern) -> bool:
        # Django's decorators refuse what takes no POST with 405 before the guard refuses a viewer.
        place = address(pattern, shop, slug=shop.merchant.slug)
        takes_posts = client.post(place, FORMS.get(str(pattern.name), {})).status_code != 405
        return takes_posts == (pattern.name in ACTIONS or pattern.name in CHANGES_NOTHING)

    assert walk(PATTERNS, is_as_said) == [], "backoffice/audit_labels.py and these addresses disagree"


def test_every_row_that_an_address_can_name_has_a_name_in_the_audit_log():
    assert set(SUBJECTS) == ID_NAMES
    shop = make_shop()
    for id_name, row_id in shop.ids().items():
        subject = SUBJECTS[id_name]
        assert subject.words(subject.find(shop.merchant, row_id))
        assert subject.find(make_shop().merchant, row_id) is None


def test_changed_settings_say_what_was_before_and_after():
    shop = make_shop(name="Harbor", phone="")
    client = client_of(shop.merchant)

    form = {"time_zone": "UTC", "currency": "USD", "language": "en", "address": shop.merchant.address}
    client.post(
        reverse("backoffice:settings_company", args=[shop.merchant.slug]), form | {"name": "Harbour & Söhne 🚢"}
    )

    entry = AuditEntry.objects.get(merchant=shop.merchant)
    assert (entry.kind, entry.says) == (AuditKind.SETTINGS, "Changed the company's settings")
    assert entry.actor_email == shop.merchant.staff.get().user.email
    assert entry.changes == [
        ["Name", "Harbor", "Harbour & Söhne 🚢"],
        ["Time zone", "America/New_York", "UTC"],
        ["Answers go to", shop.merchant.reply_to, ""],
    ]


def test_a_refused_a_repeated_and_a_wrong_post_are_no_entries():
    shop = make_shop()
    slug = shop.merchant.slug
    client = client_of(shop.merchant)

    client.post(reverse("backoffice:settings_company", args=[slug]), {"name": ""})
    client.post(reverse("backoffice:note_write", args=[slug, shop.customer.id]), {"text": ""})
    client_of(shop.merchant, Role.VIEWER).post(
        reverse("backoffice:settings_company", args=[slug]), FORMS["settings_company"]
    )

    assert not AuditEntry.objects.filter(merchant=shop.merchant).exists()


def test_an_entry_names_what_it_was_about_even_when_that_is_gone():
    shop = make_shop()
    client = client_of(shop.merchant)
    author = shop.merchant.staff.get().user
    shop.note.author = author
    shop.note.save()

    client.post(reverse("backoffice:note_delete", args=[shop.merchant.slug, shop.note.id]))

    entry = AuditEntry.objects.get(merchant=shop.merchant)
    assert (entry.says, entry.about) == ("Deleted a note", shop.customer.company_name)
    assert ["Text", "Wants to pay on Friday.", ""] in entry.changes


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE staff_auditentry SET says = 'x'",
        "DELETE FROM staff_auditentry",
        "UPDATE staff_auditline SET after = 'x'",
        "DELETE FROM staff_auditline",
    ],
)
def test_the_database_refuses_to_change_what_was_written_down(change):
    shop = make_shop()
    write_entries(make_shop().merchant, UserFactory(), 1, changes=[(f"{place}", "1", "2") for place in range(11)])
    client_of(shop.merchant).post(
        reverse("backoffice:rule_switch", args=[shop.merchant.slug, shop.rule.id]), {"to": "on"}
    )

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)

    assert AuditEntry.objects.get(merchant=shop.merchant).changes[0][:3] == ["Switched on", "no", "yes"]


def write_entries(merchant, user, count, **fields):
    for number in range(count):
        defaults = {"kind": AuditKind.TEAM, "says": f"Did {number}", "address": None, "now": present()}
        record_change(merchant=merchant, actor=user, **defaults | fields)


def test_the_log_costs_the_same_for_one_entry_and_for_many(django_assert_num_queries):
    shop = make_shop()
    client = client_of(shop.merchant, Role.VIEWER)
    place = reverse("backoffice:audit", args=[shop.merchant.slug])
    user = shop.merchant.staff.get().user

    write_entries(shop.merchant, user, 1)
    client.get(place)
    with CaptureQueriesContext(connection) as one:
        client.get(place)
    write_entries(shop.merchant, user, 40)

    with django_assert_num_queries(len(one)):
        response = client.get(place)
    assert "Did 39" in response.text
    assert "Did 3<" not in response.text


def test_the_log_is_filtered_by_person_kind_and_period_and_goes_on_where_a_page_ends():
    shop = make_shop()
    client = client_of(shop.merchant, Role.VIEWER)
    place = reverse("backoffice:audit", args=[shop.merchant.slug])
    cay, gone = UserFactory(name="Cay"), UserFactory(name="Gone <b>")
    write_entries(shop.merchant, cay, 35)
    write_entries(shop.merchant, gone, 1, kind=AuditKind.MAILS, says="Sent", now=NOW)
    write_entries(make_shop().merchant, gone, 1, says="Elsewhere")

    page = client.get(place)
    rest = client.get(f"{place}?{page.context['page'].next}").context["page"].rows
    of_gone = client.get(place, {"person": str(gone.id)}).context["page"].rows
    of_mails = client.get(place, {"kind": "mails"}).context["page"].rows
    of_then = client.get(place, {"since": "2026-11-20", "until": "2026-11-20"}).context["page"].rows

    assert "Gone &lt;b&gt;" in page.text
    assert len(page.context["page"].rows) + len(rest) == 36
    assert [entry.says for entry in of_gone] == ["Sent"]
    assert of_gone == of_mails == of_then


def test_the_file_has_a_row_for_each_value_that_changed():
    shop = make_shop()
    changes = [("Name", "=A1", "B"), ("Phone", "", "1")]
    write_entries(shop.merchant, UserFactory(name="Cay"), 1, says="Changed", changes=changes, now=NOW)
    place = reverse("backoffice:audit_export", args=[shop.merchant.slug])

    lines = client_of(shop.merchant).get(place).getvalue().decode().splitlines()

    assert lines[1].startswith("2026-11-20 10:00:00,Cay,")
    assert lines[1].endswith("Changed,,Name,'=A1,B")
    assert lines[2].endswith("Changed,,Phone,,1")


def test_sign_ins_of_the_staff_are_in_the_log_of_each_of_their_merchants():
    mine, other = make_shop(), make_shop()
    colleague = StaffFactory(merchant=mine.merchant, role=Role.VIEWER).user
    StaffFactory(merchant=other.merchant, user=colleague)

    Client().post(reverse("account_login"), {"login": colleague.email, "password": "wrong"})
    Client().post(reverse("account_login"), {"login": colleague.email, "password": PASSWORD})

    entries = AuditEntry.objects.filter(actor_id=colleague.id, says="Signed in", kind=AuditKind.SIGN_IN)
    assert {entry.merchant_id for entry in entries} == {mine.merchant.id, other.merchant.id}
    assert len(entries) == 2


def test_line_ends_of_browsers_are_no_change():
    shop = make_shop()
    shop.merchant.address = "1 Quay Street\nPortland"
    shop.merchant.save()

    form = {"name": shop.merchant.name, "reply_to": shop.merchant.reply_to, "phone": "1", "language": "en"}
    form |= {"time_zone": shop.merchant.time_zone, "currency": "USD", "address": "1 Quay Street\r\nPortland"}
    client_of(shop.merchant).post(reverse("backoffice:settings_company", args=[shop.merchant.slug]), form)

    assert AuditEntry.objects.get(merchant=shop.merchant).changes == [["Phone", "", "1"]]


def post(shop, name, **form):
    """Post to an address of the back office, and return the entry that was written."""
    client_of(shop.merchant).post(reverse(f"backoffice:{name}", args=[shop.merchant.slug]), form)
    return AuditEntry.objects.filter(merchant=shop.merchant).latest("id")


def test_what_was_done_to_many_says_of_each_what_was_before_and_after():
    shop = make_shop()
    Hold.objects.all().delete()
    one, two = [InvoiceFactory(customer=shop.customer, number=number, amount=usd("10.00")) for number in ("A-1", "A-2")]
    both, until = {"invoice": [one.id, two.id]}, "2099-01-31"
    name, address = shop.customer.company_name, shop.contact.email

    held = post(shop, "invoices_hold", invoice=[one.id], reason="pause", until=until, note="Strike")
    longer = post(shop, "invoices_hold", **both, reason="pause", until="2099-12-31")
    again = post(shop, "invoices_hold", **both, reason="pause", until="2099-12-31")
    ended = post(shop, "invoices_end_holds", **both)
    whole = post(shop, "customers_hold", customer=[shop.customer.id], reason="pause", until=until)
    post(shop, "customers_end_holds", customer=[shop.customer.id])
    reminded = post(shop, "invoices_remind", **both, min_days_overdue="1", template=shop.template.id)
    invited = post(shop, "invite", customer=[shop.customer.id])
    voided = post(shop, "invoices_void", **both, note="Sent twice")

    assert held.changes == [["Invoice A-1, on hold", "", f"Paused, until {until}: Strike"]]
    assert longer.changes == [
        ["Invoice A-1, on hold", f"Paused, until {until}: Strike", "Paused, until 2099-12-31"],
        ["Invoice A-2, on hold", "", "Paused, until 2099-12-31"],
    ]
    assert again.changes == []
    assert ended.changes == [[f"Invoice A-{n}, on hold", "Paused, until 2099-12-31", ""] for n in (1, 2)]
    assert whole.changes == [[f"{name}, on hold", "", f"Paused, until {until}"]]
    assert reminded.changes == [[f"Reminder to {name}", "", f"2 invoices in USD, to {address}"]]
    assert invited.changes == [[f"Invitation of {name}", "", "asked for"]]
    assert voided.changes == [[f"Invoice A-{n}, owed", "$10.00", "$0.00"] for n in (1, 2)]


def test_ten_thousand_changes_are_one_statement_and_are_read_page_by_page(django_assert_max_num_queries):
    shop = make_shop()
    client, slug = client_of(shop.merchant, Role.VIEWER), shop.merchant.slug
    changes = [(f"Invoice M{place}, owed", "$1.00", "$0.00") for place in range(10_000)]
    cay = UserFactory(name="Cay")

    with django_assert_max_num_queries(4):
        write_entries(shop.merchant, cay, 1, says="Voided invoices", changes=changes)
    found = AuditEntry.objects.get(merchant=shop.merchant)
    place = reverse("backoffice:audit_entry", args=[slug, found.id])
    log, first = client.get(reverse("backoffice:audit", args=[slug])), client.get(place)
    second = client.get(f"{place}?{first.context['page'].next}")
    file = client.get(reverse("backoffice:audit_export", args=[slug])).getvalue().decode().splitlines()

    assert len(found.changes) == 10
    assert "and 9,990 more" in log.text
    assert f'href="{place}"' in log.text
    assert [line.what for line in first.context["page"].rows] == [what for what, _, _ in changes[:100]]
    assert "Invoice M100, owed" in second.text
    assert file[1].endswith('"Invoice M0, owed",$1.00,$0.00')
    assert len(file) == 10_001
