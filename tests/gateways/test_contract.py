"""The behaviours that every gateway must show, against its real processor or the processor's own test mode."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from payorcrm.core.money import Money
from payorcrm.gateways.base import (
    DeclineCode,
    GatewayUnavailable,
    KeysNotAccepted,
    MethodKind,
    MethodNotAccepted,
    Outcome,
    RefundRequest,
    Verification,
    VerificationOutcome,
    WebhookNotGenuine,
)
from tests.gateways.kit import Kit, debit_of, request_for

CARD, BANK_ACCOUNT = MethodKind.CARD, MethodKind.BANK_ACCOUNT


def test_keys_are_taken_or_refused(kit: Kit) -> None:
    assert kit.gateway.check_keys()

    with pytest.raises(KeysNotAccepted):
        kit.with_wrong_key().check_keys()


def test_keys_are_neither_taken_nor_refused_while_the_processor_is_away(kit: Kit) -> None:
    kit.go_away()

    with pytest.raises(GatewayUnavailable):
        kit.gateway.check_keys()


def test_card_is_charged_and_found_again_by_its_key(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "succeeds"))

    charged = kit.gateway.charge(request)

    assert charged.outcome is Outcome.SUCCEEDED
    assert charged.reference
    assert kit.gateway.look_up(request.idempotency_key) == charged


def test_same_key_sent_again_charges_once(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "succeeds"))

    first, second = kit.gateway.charge(request), kit.gateway.charge(request)

    assert first == second
    assert kit.charges_of(request.idempotency_key) == 1


def test_same_key_sent_by_twenty_at_once_charges_once(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "succeeds"))

    with ThreadPoolExecutor(20) as senders:
        results = set(senders.map(lambda _: kit.gateway.charge(request), range(20)))

    assert {result.outcome for result in results} == {Outcome.SUCCEEDED}
    assert len({result.reference for result in results}) == 1
    assert kit.charges_of(request.idempotency_key) == 1


def test_same_key_for_another_amount_is_unknown_and_charges_nothing_more(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "succeeds"))
    first = kit.gateway.charge(request)

    second = kit.gateway.charge(replace(request, amount=Money(99900, "USD")))

    assert second.outcome is Outcome.UNKNOWN
    assert kit.gateway.look_up(request.idempotency_key) == first


def test_decline_says_why_and_stays_declined(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "declines"))

    declined = kit.gateway.charge(request)

    assert declined.outcome is Outcome.DECLINED
    assert declined.decline_code is DeclineCode.INSUFFICIENT_FUNDS
    assert declined.decline_message
    assert kit.gateway.look_up(request.idempotency_key) == declined


def test_unknown_method_is_declined(kit: Kit) -> None:
    result = kit.gateway.charge(request_for("pm_nobody_knows"))

    assert (result.outcome, result.decline_code) == (Outcome.DECLINED, DeclineCode.METHOD_UNUSABLE)


def test_key_never_sent_is_not_sent(kit: Kit) -> None:
    assert kit.gateway.look_up("never-sent").outcome is Outcome.NOT_SENT


def test_debit_is_pending_until_it_settles(kit: Kit) -> None:
    request = debit_of(kit)

    pending = kit.gateway.charge(request)
    kit.settle()

    assert pending.outcome is Outcome.PENDING
    assert pending.expected_on is not None
    assert pending.expected_on >= datetime.now(UTC).date()
    assert kit.gateway.look_up(request.idempotency_key).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("is_settled_before", [False, True])
def test_debit_sent_back_by_the_bank_is_returned_with_its_code(kit: Kit, is_settled_before: bool) -> None:  # noqa: FBT001
    request = debit_of(kit)
    pending = kit.gateway.charge(request)
    if is_settled_before:
        kit.settle()

    kit.send_back(pending.reference, "R10")

    found = kit.gateway.look_up(request.idempotency_key)
    assert (found.outcome, found.return_code, found.reference) == (Outcome.RETURNED, "R10", pending.reference)


@pytest.mark.parametrize("kind", [CARD, BANK_ACCOUNT])
def test_silence_after_charging_is_unknown_and_the_charge_is_found(kit: Kit, kind: MethodKind) -> None:
    request = request_for(kit.method(kind, "hangs_after"), kind=kind)
    began = time.monotonic()

    silent = kit.gateway.charge(request)

    assert silent.outcome is Outcome.UNKNOWN
    assert time.monotonic() - began < 2.5
    expected = Outcome.PENDING if kind in kit.gateway.settles_later else Outcome.SUCCEEDED
    assert kit.gateway.look_up(request.idempotency_key).outcome is expected


def test_silence_before_charging_is_unknown_and_nothing_is_found(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "hangs_before"))

    silent = kit.gateway.charge(request)

    assert silent.outcome is Outcome.UNKNOWN
    assert kit.gateway.look_up(request.idempotency_key).outcome is Outcome.NOT_SENT


def test_second_step_charges_when_it_is_passed(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "asks"))

    asked = kit.gateway.charge(request)
    kit.pass_second_step(asked.action_url)

    assert asked.outcome is Outcome.ACTION_NEEDED
    assert kit.gateway.look_up(request.idempotency_key).outcome is Outcome.SUCCEEDED


def test_second_step_that_fails_declines(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "asks"))

    kit.fail_second_step(kit.gateway.charge(request).action_url)

    found = kit.gateway.look_up(request.idempotency_key)
    assert (found.outcome, found.decline_code) == (Outcome.DECLINED, DeclineCode.ACTION_FAILED)


def test_processor_that_is_away_was_sent_nothing(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "succeeds"))
    kit.go_away()

    assert kit.gateway.charge(request).outcome is Outcome.NOT_SENT
    assert kit.gateway.refund(RefundRequest("r", "ch_1", Money(1, "USD"))).outcome is Outcome.NOT_SENT
    assert kit.gateway.look_up(request.idempotency_key).outcome is Outcome.UNKNOWN
    assert kit.gateway.look_up_refund("r").outcome is Outcome.UNKNOWN
    assert kit.gateway.cancel(request.idempotency_key).outcome is Outcome.UNKNOWN
    with pytest.raises(GatewayUnavailable):
        kit.gateway.finish_saving_method("tok_1", reusable=True)
    with pytest.raises(GatewayUnavailable):
        kit.gateway.fetch_events(datetime.now(UTC))


def test_wrong_secret_key_is_unknown_and_never_a_decline(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "succeeds"))
    charged = kit.gateway.charge(request)
    stranger = kit.with_wrong_key()

    assert charged.outcome is Outcome.SUCCEEDED
    assert stranger.charge(request).outcome is Outcome.UNKNOWN
    assert stranger.look_up(request.idempotency_key).outcome is Outcome.UNKNOWN


def test_browser_token_becomes_a_method_that_charges(kit: Kit) -> None:
    token = kit.browser_token()

    method = kit.gateway.finish_saving_method(token, reusable=True)
    again = kit.gateway.finish_saving_method(token, reusable=True)

    assert (method.kind, method.brand, method.last4) == (CARD, "visa", "4242")
    assert (method.expiry_month, method.expiry_year) == (12, 2040)
    assert again == method
    assert kit.gateway.charge(request_for(method.token)).outcome is Outcome.SUCCEEDED


def test_same_card_entered_twice_has_one_fingerprint(kit: Kit) -> None:
    first, second = (kit.gateway.finish_saving_method(kit.browser_token(), reusable=True) for _ in range(2))

    assert first.token != second.token
    assert first.fingerprint == second.fingerprint != ""


def test_unknown_browser_token_is_not_accepted(kit: Kit) -> None:
    with pytest.raises(MethodNotAccepted):
        kit.gateway.finish_saving_method("tok_nobody_knows", reusable=True)


def test_single_use_method_charges_once(kit: Kit) -> None:
    token = kit.single_use_method()

    first, second = kit.gateway.charge(request_for(token)), kit.gateway.charge(request_for(token))

    assert first.outcome is Outcome.SUCCEEDED
    assert (second.outcome, second.decline_code) == (Outcome.DECLINED, DeclineCode.METHOD_UNUSABLE)


def wrong_for(kit: Kit, token: str, *, by: int = 1) -> tuple[int, int]:
    first, second = kit.deposits_of(token)
    return (first + by - 1) % 99 + 1, second


def test_account_that_needs_deposits_charges_only_after_their_amounts(kit: Kit) -> None:
    token = kit.method(BANK_ACCOUNT, "needs_deposits")
    before = kit.gateway.charge(request_for(token, kind=BANK_ACCOUNT))
    first, second = kit.deposits_of(token)

    verified = kit.gateway.verify_method(token, (second, first))

    assert kit.gateway.sends_deposits
    assert (before.outcome, before.decline_code) == (Outcome.DECLINED, DeclineCode.METHOD_UNUSABLE)
    assert verified.outcome is VerificationOutcome.VERIFIED
    assert kit.gateway.charge(request_for(token, kind=BANK_ACCOUNT)).outcome is Outcome.PENDING


def test_account_that_needs_deposits_says_so_and_when(kit: Kit) -> None:
    details = kit.gateway.finish_saving_method(kit.browser_token(BANK_ACCOUNT, "needs_deposits"), reusable=True)

    assert details.verification is Verification.DEPOSITS
    assert details.deposits_expected_on is not None
    assert details.deposits_expected_on >= datetime.now(UTC).date()


def test_card_needs_no_deposits(kit: Kit) -> None:
    details = kit.gateway.finish_saving_method(kit.browser_token(), reusable=True)

    assert (details.verification, details.deposits_expected_on) == (Verification.NOT_NEEDED, None)


def test_wrong_amounts_count_down_and_the_last_fails_for_good(kit: Kit) -> None:
    token = kit.method(BANK_ACCOUNT, "needs_deposits")
    right = kit.deposits_of(token)

    tried = [kit.gateway.verify_method(token, wrong_for(kit, token))]
    while tried[-1].outcome is VerificationOutcome.WRONG:
        tried.append(kit.gateway.verify_method(token, wrong_for(kit, token, by=len(tried) + 1)))
    afterwards = kit.gateway.verify_method(token, right)

    assert [result.tries_left for result in tried] == list(range(len(tried) - 1, -1, -1))
    assert tried[-1].outcome is afterwards.outcome is VerificationOutcome.FAILED
    charged = kit.gateway.charge(request_for(token, kind=BANK_ACCOUNT))
    assert (charged.outcome, charged.decline_code) == (Outcome.DECLINED, DeclineCode.METHOD_UNUSABLE)


def test_verified_account_stays_verified_whatever_is_sent_again(kit: Kit) -> None:
    token = kit.method(BANK_ACCOUNT, "needs_deposits")
    kit.gateway.verify_method(token, kit.deposits_of(token))

    again = kit.gateway.verify_method(token, wrong_for(kit, token))

    assert again.outcome is VerificationOutcome.VERIFIED


def test_ten_wrong_tries_at_once_are_counted_one_by_one(kit: Kit) -> None:
    token = kit.method(BANK_ACCOUNT, "needs_deposits")
    wrong = wrong_for(kit, token)

    with ThreadPoolExecutor(10) as people:
        tried = list(people.map(lambda _: kit.gateway.verify_method(token, wrong), range(10)))

    left = [result.tries_left for result in tried if result.outcome is VerificationOutcome.WRONG]
    assert len(left) == len(set(left))
    assert VerificationOutcome.FAILED in {result.outcome for result in tried}


def test_silence_while_verifying_is_unknown_and_a_stranger_learns_nothing(kit: Kit) -> None:
    token = kit.method(BANK_ACCOUNT, "needs_deposits")
    right = kit.deposits_of(token)

    stranger = kit.with_wrong_key().verify_method(token, right)
    kit.go_away()
    away = kit.gateway.verify_method(token, right)

    assert stranger.outcome is away.outcome is VerificationOutcome.UNKNOWN


def test_method_that_nobody_knows_is_never_verified(kit: Kit) -> None:
    assert kit.gateway.verify_method("pm_nobody_knows", (32, 45)).outcome is VerificationOutcome.FAILED


def test_removed_method_charges_no_more(kit: Kit) -> None:
    token = kit.method(CARD, "succeeds")

    kit.gateway.remove_method(token)
    kit.gateway.remove_method(token)

    result = kit.gateway.charge(request_for(token))
    assert (result.outcome, result.decline_code) == (Outcome.DECLINED, DeclineCode.METHOD_UNUSABLE)


def test_events_of_a_charge_are_fetched_oldest_first(kit: Kit) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    pending = kit.gateway.charge(debit_of(kit))
    kit.settle()

    events = kit.gateway.fetch_events(before)

    assert [event.charge_reference for event in events] == [pending.reference] * 2
    assert events[0].occurred_at < events[1].occurred_at
    assert len({event.event_id for event in events}) == 2
    assert kit.gateway.fetch_events(events[1].occurred_at + timedelta(microseconds=1)) == []


def test_genuine_webhook_is_read(kit: Kit) -> None:
    headers, body = kit.genuine_webhook()

    event = kit.gateway.read_webhook(headers, body)

    assert event.event_id
    assert event.body == body.decode()


def test_webhook_changed_on_its_way_is_not_genuine(kit: Kit) -> None:
    headers, body = kit.genuine_webhook()

    with pytest.raises(WebhookNotGenuine):
        kit.gateway.read_webhook(headers, body + b" ")
    with pytest.raises(WebhookNotGenuine):
        kit.gateway.read_webhook({}, body)


def test_saving_a_method_names_addresses_of_the_processor_alone(kit: Kit) -> None:
    session = kit.gateway.start_saving_method(
        CARD, return_url="http://localhost:8000/back/", parent_origin="http://localhost:8000"
    )

    assert session.fields_url.startswith(f"{session.origin}/")
    assert session.hosted_url.startswith(f"{session.origin}/")
