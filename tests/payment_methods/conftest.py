"""A mail server for the mails about methods to arrive at."""

from tests.reminders.conftest import server

__all__ = ["server"]
