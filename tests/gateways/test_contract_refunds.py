"""The behaviours that every gateway must show when money is given back or a debit is called off."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from payorcrm.core.money import Money
from payorcrm.gateways.base import (
    MethodKind,
    Outcome,
    RefundRequest,
)
from tests.gateways.kit import Kit, debit_of, request_for

CARD, BANK_ACCOUNT = MethodKind.CARD, MethodKind.BANK_ACCOUNT


def test_refund_is_given_once_for_its_key_and_never_exceeds_the_charge(kit: Kit) -> None:
    charged = kit.gateway.charge(request_for(kit.method(CARD, "succeeds"), "120.00"))
    part = RefundRequest("refund-1", charged.reference, Money(7000, "USD"))

    first, again = kit.gateway.refund(part), kit.gateway.refund(part)
    too_much = kit.gateway.refund(replace(part, idempotency_key="refund-2"))
    the_rest = kit.gateway.refund(RefundRequest("refund-3", charged.reference, Money(5000, "USD")))

    assert first.outcome is Outcome.SUCCEEDED
    assert again == first
    assert (too_much.outcome, bool(too_much.message)) == (Outcome.DECLINED, True)
    assert the_rest.outcome is Outcome.SUCCEEDED


def test_refund_of_a_declined_charge_is_declined(kit: Kit) -> None:
    declined = kit.gateway.charge(request_for(kit.method(CARD, "declines")))

    refund = kit.gateway.refund(RefundRequest("refund-1", declined.reference, Money(100, "USD")))

    assert refund.outcome is Outcome.DECLINED


def test_refund_is_found_again_by_its_key(kit: Kit) -> None:
    charged = kit.gateway.charge(request_for(kit.method(CARD, "succeeds")))
    given = kit.gateway.refund(RefundRequest("refund-1", charged.reference, Money(100, "USD")))

    assert kit.gateway.look_up_refund("refund-1") == given
    assert kit.gateway.look_up_refund("never-sent").outcome is Outcome.NOT_SENT
    assert kit.with_wrong_key().look_up_refund("refund-1").outcome is Outcome.UNKNOWN


def test_silence_after_refunding_is_unknown_and_the_refund_is_found(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "hangs_after"))
    kit.gateway.charge(request)
    charged = kit.gateway.look_up(request.idempotency_key)
    refund = RefundRequest("refund-1", charged.reference, Money(100, "USD"))

    silent = kit.gateway.refund(refund)

    assert silent.outcome is Outcome.UNKNOWN
    assert kit.gateway.look_up_refund("refund-1").outcome is Outcome.SUCCEEDED
    assert kit.gateway.refund(refund).outcome is Outcome.SUCCEEDED


def test_same_refund_sent_by_ten_at_once_is_given_once(kit: Kit) -> None:
    charged = kit.gateway.charge(request_for(kit.method(CARD, "succeeds"), "120.00"))
    refund = RefundRequest("refund-1", charged.reference, Money(7000, "USD"))

    with ThreadPoolExecutor(10) as senders:
        results = set(senders.map(lambda _: kit.gateway.refund(refund), range(10)))

    assert {result.outcome for result in results} == {Outcome.SUCCEEDED}
    assert len(results) == 1


def settled_debit_of(kit: Kit) -> str:
    reference = kit.gateway.charge(debit_of(kit)).reference
    kit.settle()
    return reference


def test_refund_to_a_bank_account_is_under_way_until_it_arrives(kit: Kit) -> None:
    refund = RefundRequest("refund-1", settled_debit_of(kit), Money(100, "USD"))

    under_way = kit.gateway.refund(refund)
    kit.settle()

    assert under_way.outcome is Outcome.PENDING
    assert kit.gateway.look_up_refund("refund-1").outcome is Outcome.SUCCEEDED


def test_refund_that_the_bank_does_not_take_can_be_made_again(kit: Kit) -> None:
    reference = settled_debit_of(kit)
    under_way = kit.gateway.refund(RefundRequest("refund-1", reference, Money(12000, "USD")))

    kit.fail_refund(under_way.reference)

    failed = kit.gateway.look_up_refund("refund-1")
    assert (failed.outcome, bool(failed.message)) == (Outcome.DECLINED, True)
    assert kit.gateway.refund(RefundRequest("refund-2", reference, Money(12000, "USD"))).outcome is Outcome.PENDING


def test_debit_that_is_not_at_the_bank_yet_is_canceled_once(kit: Kit) -> None:
    request = debit_of(kit)
    kit.gateway.charge(request)

    first, again = kit.gateway.cancel(request.idempotency_key), kit.gateway.cancel(request.idempotency_key)
    kit.settle()

    assert kit.gateway.supports_cancel
    assert first.outcome is again.outcome is Outcome.CANCELED
    assert kit.gateway.look_up(request.idempotency_key) == first
    refund = kit.gateway.refund(RefundRequest("refund-1", first.reference, Money(100, "USD")))
    assert refund.outcome is Outcome.DECLINED


def test_debit_that_the_bank_has_stays_pending_when_it_is_canceled(kit: Kit) -> None:
    request = debit_of(kit)
    kit.send_to_bank(kit.gateway.charge(request).reference)

    assert kit.gateway.cancel(request.idempotency_key).outcome is Outcome.PENDING


def test_what_was_paid_already_is_not_canceled(kit: Kit) -> None:
    request = request_for(kit.method(CARD, "succeeds"))
    kit.gateway.charge(request)

    assert kit.gateway.cancel(request.idempotency_key).outcome is Outcome.SUCCEEDED
    assert kit.gateway.cancel("never-sent").outcome is Outcome.NOT_SENT


def test_events_tell_of_refunds_and_cancels(kit: Kit) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    charged = kit.gateway.charge(request_for(kit.method(CARD, "succeeds")))
    kit.gateway.refund(RefundRequest("refund-1", charged.reference, Money(100, "USD")))
    debit = debit_of(kit)
    pending = kit.gateway.charge(debit)
    kit.gateway.cancel(debit.idempotency_key)

    references = [event.charge_reference for event in kit.gateway.fetch_events(before)]

    assert references == [charged.reference] * 2 + [pending.reference] * 2
