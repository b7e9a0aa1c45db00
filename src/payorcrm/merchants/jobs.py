"""The timetable of sign-in."""

from payorcrm.core.jobs import job
from payorcrm.merchants import forgotten_password


@job()
def answer_forgotten_password(*, email: str, language: str) -> None:
    """Answer one question for a new password; the row of the job goes with it."""
    forgotten_password.answer_forgotten_password(email=email, language=language)
