"""A pipe between a program and the children that it starts, so that they stop even when it is killed.

The system closes the parent's end whatever happens to the parent, and each child watches its own end.
"""

import os
import signal
import threading
import time

VARIABLE = "PAYORCRM_LIFELINE"
PATIENCE = 10


def hold_lifeline() -> None:
    """Stop this program when the one that started it is gone; without a lifeline, change nothing."""
    number = os.environ.pop(VARIABLE, "")
    if number:
        threading.Thread(target=_stop_when_cut, args=[int(number)], daemon=True, name="lifeline").start()


def _stop_when_cut(number: int) -> None:
    os.read(number, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os.killpg(os.getpgrp(), signal.SIGKILL)
