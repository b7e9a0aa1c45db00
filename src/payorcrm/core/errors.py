"""The tree of errors, grouped by who must act. Concrete classes stand in the files that raise them.

- `Refused`: a business rule says no; the user acts. Its message is shown to them.
- `Unavailable`: the outside world is away; time acts. Jobs try again.
- `Inconsistent`: our own books disagree; an engineer acts. Nothing catches it.
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class PayorError(Exception):
    """The root; never raised itself. A message is put into the language that is active when the error is raised."""

    code: ClassVar[str] = "error"
    message: ClassVar[str | Promise] = _("Something went wrong.")

    def __init__(self, message: str | Promise = "") -> None:
        super().__init__(str(message or self.message))


class Refused(PayorError):
    """A business rule refuses what was asked for."""

    code = "refused"
    status: ClassVar[int] = 409
    message: ClassVar[str | Promise] = _("That is not possible.")


class Unavailable(PayorError):
    """Something outside does not answer; the same call may succeed later."""

    code = "unavailable"
    message: ClassVar[str | Promise] = _("This is not available right now. Please try again in a moment.")


class Inconsistent(PayorError):
    """Two of our own records contradict each other."""

    code = "inconsistent"
    message = "Our records disagree with each other."
