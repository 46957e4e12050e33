"""Waiting for a condition with a deadline: the only place in the tests that sleeps."""

import time

# A busy machine under sanitizers is slow; a condition that holds ends the wait at once.
DEADLINE_S = 30.0
_PAUSE_S = 0.002


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Call condition() until it returns something true, and return that.

    what: the condition in words; AssertionError with it when the deadline passes. Any exception of condition()
    is passed on.
    """
    end = time.monotonic() + deadline_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline_s:g} s still not: {what}")
        time.sleep(_PAUSE_S)


def let_pass(seconds):
    """For measurements over a time. Not for waiting: what is waited for is a condition."""
    time.sleep(seconds)
