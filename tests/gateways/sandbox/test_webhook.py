"""Only what the processor signed within five minutes is an event."""

from datetime import UTC, datetime

import pytest

from payorcrm.gateways.base import WebhookNotGenuine
from payorcrm.gateways.sandbox.processor.deliver import signature
from payorcrm.gateways.sandbox.webhook import TOLERANCE_SECONDS, read_webhook

SECRET, NOW = "whsec_1", 1_795_000_000
BODY = '{"id": "evt_1", "type": "charge.returned", "charge": "ch_1", "occurred_at": "2026-11-20T15:00:00+00:00"}'


def headers(body: str = BODY, *, secret: str = SECRET, moment: int = NOW) -> dict[str, str]:
    return {"Sandbox-Signature": signature(secret, body, moment)}


def test_signed_event_is_read() -> None:
    event = read_webhook(headers(), BODY.encode(), secret=SECRET, now=NOW)

    assert (event.event_id, event.kind, event.charge_reference) == ("evt_1", "charge.returned", "ch_1")
    assert event.occurred_at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert event.body == BODY


def test_header_is_found_in_any_case() -> None:
    lowered = {name.lower(): value for name, value in headers().items()}

    assert read_webhook(lowered, BODY.encode(), secret=SECRET, now=NOW).event_id == "evt_1"


@pytest.mark.parametrize("age", [TOLERANCE_SECONDS, -TOLERANCE_SECONDS])
def test_signature_of_five_minutes_is_accepted(age: int) -> None:
    assert read_webhook(headers(), BODY.encode(), secret=SECRET, now=NOW + age).event_id == "evt_1"


@pytest.mark.parametrize("age", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_signature_out_of_time_is_refused(age: int) -> None:
    with pytest.raises(WebhookNotGenuine):
        read_webhook(headers(), BODY.encode(), secret=SECRET, now=NOW + age)


@pytest.mark.parametrize(
    "signed",
    [
        {},
        {"Sandbox-Signature": ""},
        {"Sandbox-Signature": f"t={NOW}"},
        {"Sandbox-Signature": f"t={NOW},v1="},
        {"Sandbox-Signature": f"t={NOW},v1={'0' * 64}"},
        {"Sandbox-Signature": f"t=é,v1={'0' * 64}"},
        headers(secret="whsec_2"),
        headers(BODY.replace("ch_1", "ch_2")),
        {"Sandbox-Signature": headers()["Sandbox-Signature"].replace(str(NOW), str(NOW + 1))},
    ],
)
def test_missing_or_wrong_signature_is_refused(signed: dict[str, str]) -> None:
    with pytest.raises(WebhookNotGenuine):
        read_webhook(signed, BODY.encode(), secret=SECRET, now=NOW)


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", '{"id": 1, "type": "x", "occurred_at": "y"}'])
def test_signed_nonsense_is_refused(body: str) -> None:
    with pytest.raises(WebhookNotGenuine):
        read_webhook(headers(body), body.encode(), secret=SECRET, now=NOW)
