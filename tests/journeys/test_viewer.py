"""An owner invites a colleague as viewer, who accepts in another browser, sees everything and can change nothing."""

import re

from playwright.sync_api import expect

from payorcrm.backoffice import urls
from tests.factories.inbox import text_of
from tests.factories.journey import open_business, session_of
from tests.factories.models import PASSWORD
from tests.factories.system import RunningSystem
from tests.journeys.person import Person

# What only those who may change something are offered.
OFFERS = re.compile("Save|Send|Add|Invite|Import|Remove|Void|Refund|Hold|Require|Connect|Withdraw|Change|Record|Switch")
PAGES = ["", "customers/", "invoices/", "payments/", "mails/", "reminders/", "reminders/rules/", "statements/"]
SETTINGS = ["company", "branding", "payments", "reminders", "portal", "sender", "team", "audit"]


def test_a_viewer_sees_everything_and_can_change_nothing(
    system: RunningSystem, person: Person, other_person: Person
) -> None:
    business = open_business(system, "120.00")
    home = f"/m/{business.merchant.slug}/"
    email = f"vera-{business.merchant.slug}@mail.example"
    person.page.context.add_cookies([{"name": "session", "value": session_of(business.owner), "url": system.url}])
    person.open(f"{home}settings/team/")
    person.look("owner")
    person.page.get_by_label("E-mail address").fill(email)
    person.page.get_by_label("Role").select_option("viewer")
    person.press("Send the invitation")
    person.sees(f"An invitation is on its way to {email}")

    mail = text_of(system.inbox.wait_for_mail(to=email))
    other_person.open(re.search(r"http\S+/join/\S+", mail)[0])  # type: ignore[index]
    other_person.look()
    other_person.page.get_by_label("Your name").fill("Vera Viewer")
    other_person.page.get_by_label("Password").fill(PASSWORD)
    other_person.press("Save and join")
    other_person.page.wait_for_url(f"**{home}")

    for page in [*PAGES, *(f"settings/{name}/" for name in SETTINGS)]:
        answer = other_person.page.goto(f"{home}{page}")
        assert answer, page
        assert answer.ok, page
        expect(other_person.page.locator("main").get_by_role("button", name=OFFERS)).to_have_count(0)
    other_person.open(f"{home}settings/audit/")
    other_person.sees("Joined the team")
    other_person.look()
    refused = _post_everywhere(other_person, system, home)
    assert refused == {403, 405}
    person.open(f"{home}settings/team/")
    expect(person.page.get_by_role("row").filter(has_text="Vera Viewer")).to_contain_text("Viewer")


def _post_everywhere(person: Person, system: RunningSystem, home: str) -> set[int]:
    """Post, with a good token, to every address that names no row; the walk of the tests does the others."""
    person.open(f"{home}customers/")
    token = person.page.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value")
    answers = set()
    for pattern in urls.urlpatterns:
        place = f"{system.url}{home}{pattern.pattern}"
        if not pattern.pattern.converters and pattern.name != "template_preview":
            answer = person.page.request.post(
                place, form={"csrfmiddlewaretoken": token or ""}, headers={"Referer": place}, max_redirects=0
            )
            answers.add(answer.status)
    return answers
