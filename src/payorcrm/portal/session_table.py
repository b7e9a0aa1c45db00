"""The application that holds the table of sessions."""

from allauth.usersessions.apps import UserSessionsConfig


class SessionTable(UserSessionsConfig):
    """Allauth's table of sessions without its receivers, which look at every session of a person, one by one."""

    def ready(self) -> None:
        """Connect nothing: a sign-in notes its session itself."""
