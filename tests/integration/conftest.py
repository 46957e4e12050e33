"""Fixtures, and the reason for which everything is skipped where there are no network namespaces."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lab import Lab
from netns import Namespace, Switch


def _why_not():
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    try:
        Namespace().close()
    except OSError as error:
        return str(error)
    return None


def pytest_collection_modifyitems(items):
    reason = _why_not()
    if reason:
        for item in items:
            if item.get_closest_marker("unprivileged"):
                continue
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shared_lab():
    """One switch with ports 1 and 2 bridged, 3 and 4 routed, for tests that leave it as they found it."""
    with Switch() as switch:
        yield Lab(switch)
