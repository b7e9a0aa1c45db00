"""Three tries to name two deposits; only an explicit answer costs one, and what is settled stays settled."""

import pytest

from payorcrm.gateways.base import VerificationOutcome as Outcome
from payorcrm.gateways.base import VerificationResult
from payorcrm.mail.models import Mail
from payorcrm.payment_methods.models import PaymentMethod, Verification
from payorcrm.payment_methods.remove import remove_method
from payorcrm.payment_methods.save import MethodGone
from payorcrm.payment_methods.verify import NothingToVerify, Verdict, settle_verification, verify_deposits
from tests.factories.models import NOW, TODAY
from tests.factories.sandbox import free_port
from tests.payment_methods.kit import NEEDS_DEPOSITS, RIGHT, WRONG


@pytest.fixture
def account(merchant, saved):
    return saved(NEEDS_DEPOSITS, bank=True)


def try_(account, amounts):
    return verify_deposits(method=account, amounts=amounts, now=NOW)


def kinds_of_mails():
    return list(Mail.objects.order_by("id").values_list("kind", flat=True))


def test_right_amounts_in_either_order_verify_the_account(account):
    verdict = try_(account, RIGHT[::-1])

    account.refresh_from_db()
    assert verdict.outcome is Outcome.VERIFIED
    assert account.verification == Verification.VERIFIED
    assert list(PaymentMethod.objects.usable(currency="USD", today=TODAY)) == [account]
    assert kinds_of_mails() == ["method_verified"]


def test_third_wrong_try_fails_for_good(account):
    verdicts = [try_(account, WRONG) for _ in range(3)]
    too_late = try_(account, RIGHT)

    account.refresh_from_db()
    assert verdicts == [Verdict(Outcome.WRONG, 2), Verdict(Outcome.WRONG, 1), Verdict(Outcome.FAILED, 0)]
    assert too_late == Verdict(Outcome.FAILED, 0)
    assert account.verification == Verification.FAILED
    assert kinds_of_mails() == ["method_not_verified"]


def test_silence_costs_no_try(account, settings):
    settings.SANDBOX_URL = f"http://127.0.0.1:{free_port()}"

    verdict = try_(account, RIGHT)

    account.refresh_from_db()
    assert verdict == Verdict(Outcome.UNKNOWN, 3)
    assert (account.verification, account.verification_try_count) == (Verification.PENDING, 0)


def test_try_whose_answer_was_lost_is_counted_by_the_next_answer(account):
    try_(account, WRONG)
    PaymentMethod.objects.update(verification_try_count=0)

    assert try_(account, WRONG) == Verdict(Outcome.WRONG, 1)


def test_verified_account_stays_verified(account):
    try_(account, RIGHT)

    assert try_(account, WRONG).outcome is Outcome.VERIFIED
    assert kinds_of_mails() == ["method_verified"]


def test_removed_account_and_card_are_refused(account, saved):
    remove_method(method_id=account.id, now=NOW)

    with pytest.raises(MethodGone):
        try_(account, RIGHT)
    with pytest.raises(NothingToVerify):
        try_(saved(), RIGHT)


def test_answers_that_overtake_one_another_cost_one_try_each(account):
    early, _ = [try_(account, WRONG) for _ in range(2)]

    settle_verification(account, VerificationResult(Outcome.WRONG, early.tries_left), now=NOW)

    account.refresh_from_db()
    assert (account.verification, account.verification_try_count) == (Verification.PENDING, 2)


def test_processor_that_allows_ten_tries_is_not_asked_a_fourth_time(account):
    for left in (9, 8, 7):
        settle_verification(account, VerificationResult(Outcome.WRONG, left), now=NOW)

    account.refresh_from_db()
    assert account.verification == Verification.FAILED
