"""Every word of the processor, and every way in which an answer can be no answer."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payorcrm.core.money import Money
from payorcrm.gateways.base import DeclineCode, Outcome, RefundRequest
from payorcrm.gateways.sandbox import translate
from payorcrm.gateways.sandbox.client import Answer
from payorcrm.gateways.sandbox.processor.decide import DECLINE_MESSAGES
from tests.gateways.kit import request_for

REQUEST = request_for("pm_1", "120.00", key="key-1")
CHARGE: dict[str, Any] = {
    "object": "charge",
    "id": "ch_1",
    "idempotency_key": "key-1",
    "amount": 12000,
    "currency": "USD",
    "status": "succeeded",
    "decline_code": "",
    "decline_message": "",
    "return_code": "",
    "action_url": "",
    "expected_on": None,
    "changed_at": "2026-11-20T15:00:00+00:00",
}


def error(status: int, code: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": "Words for staff."}})


def test_pending_tells_when_the_money_is_expected() -> None:
    pending = Answer(200, CHARGE | {"status": "pending", "expected_on": "2026-11-24"})

    result = translate.charge_result(pending, REQUEST)

    assert (result.outcome, result.expected_on) == (Outcome.PENDING, date(2026, 11, 24))
    assert result.occurred_at == datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_return_tells_its_code() -> None:
    returned = Answer(200, CHARGE | {"status": "returned", "return_code": "R03"})

    assert translate.found_charge(returned, "key-1").return_code == "R03"


def test_second_step_tells_its_address() -> None:
    asks = Answer(200, CHARGE | {"status": "requires_action", "action_url": "http://localhost:8010/challenge/ch_1"})

    assert translate.charge_result(asks, REQUEST).action_url == "http://localhost:8010/challenge/ch_1"


@pytest.mark.parametrize("code", sorted(DECLINE_MESSAGES))
def test_every_decline_of_the_processor_has_a_word_of_ours(code: str) -> None:
    declined = Answer(200, CHARGE | {"status": "declined", "decline_code": code, "decline_message": "Because."})

    result = translate.charge_result(declined, REQUEST)

    assert code in translate.DECLINE_CODES
    assert (result.outcome, result.decline_code) == (Outcome.DECLINED, translate.DECLINE_CODES[code])
    assert result.decline_message == "Because."


def test_every_word_of_ours_for_a_decline_is_used() -> None:
    assert set(translate.DECLINE_CODES.values()) == set(DeclineCode)


def test_decline_with_a_new_word_is_still_a_decline() -> None:
    declined = Answer(200, CHARGE | {"status": "declined", "decline_code": "moon_phase"})

    assert translate.charge_result(declined, REQUEST).decline_code is DeclineCode.DECLINED


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 502, 503, 504])
def test_error_that_is_no_refusal_of_the_request_is_unknown(status: int) -> None:
    assert translate.charge_result(error(status, "something"), REQUEST).outcome is Outcome.UNKNOWN


def test_refused_request_is_declined() -> None:
    refused = translate.charge_result(error(400, "invalid_request"), REQUEST)

    assert (refused.outcome, refused.decline_message) == (Outcome.DECLINED, "Words for staff.")


def test_bad_request_of_somebody_in_between_is_unknown() -> None:
    assert translate.charge_result(Answer(400, {"error": "Bad Request"}), REQUEST).outcome is Outcome.UNKNOWN


def test_not_found_in_the_processors_own_words_is_not_sent() -> None:
    assert translate.found_charge(error(404, "not_found"), "key-1").outcome is Outcome.NOT_SENT


def test_not_found_of_somebody_in_between_is_unknown() -> None:
    assert translate.found_charge(Answer(404, {"detail": "Not Found"}), "key-1").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 12001},
        {"currency": "EUR"},
        {"idempotency_key": "key-2"},
        {"object": "refund"},
        {"status": "on_the_moon"},
        {"status": None},
        {"id": 7},
        {"changed_at": "yesterday"},
        {"changed_at": None},
    ],
)
def test_answer_about_something_else_or_half_understood_is_unknown(changes: dict[str, Any]) -> None:
    assert translate.charge_result(Answer(200, CHARGE | changes), REQUEST).outcome is Outcome.UNKNOWN


@settings(max_examples=50)
@given(st.integers(100, 599), st.dictionaries(st.text(), st.recursive(st.none() | st.text(), st.lists)))
def test_no_answer_of_strange_words_is_ever_a_success(status: int, body: dict[str, Any]) -> None:
    answer = Answer(status, body)

    assert translate.charge_result(answer, REQUEST).outcome is Outcome.UNKNOWN
    assert translate.found_charge(answer, "key-1").outcome is Outcome.UNKNOWN
    assert translate.refund_result(answer, RefundRequest("k", "ch_1", Money(1, "USD"))).outcome is Outcome.UNKNOWN


@given(st.sampled_from(sorted(CHARGE)))
def test_charge_that_lacks_a_word_is_never_read_wrongly(missing: str) -> None:
    body = {name: value for name, value in CHARGE.items() if name != missing}

    result = translate.charge_result(Answer(200, body), REQUEST)

    assert result.outcome in (Outcome.UNKNOWN, Outcome.SUCCEEDED)
    assert result.outcome is Outcome.UNKNOWN or missing in UNUSED_BY_A_SUCCESS


UNUSED_BY_A_SUCCESS = {"decline_code", "decline_message", "return_code", "action_url", "expected_on"}


def test_refund_about_another_amount_is_unknown() -> None:
    request = RefundRequest("key-1", "ch_1", Money(500, "USD"))
    body = {"object": "refund", "idempotency_key": "key-1", "status": "succeeded", "id": "re_1", "amount": 500}

    understood = translate.refund_result(Answer(200, body), request)
    other = translate.refund_result(Answer(200, body | {"amount": 400}), request)

    assert (understood.outcome, understood.reference) == (Outcome.SUCCEEDED, "re_1")
    assert other.outcome is Outcome.UNKNOWN


def test_request_is_sent_in_the_processors_words() -> None:
    request = replace(REQUEST, entry_class="WEB")

    assert translate.charge_body(request) == {
        "amount": 12000,
        "currency": "USD",
        "method_token": "pm_1",
        "description": "Invoices 1001, 1002",
        "return_url": "http://localhost:8000/back/",
        "entry_class": "WEB",
    }
